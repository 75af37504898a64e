//===- Files.cpp - the model's file and its external data, mapped ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Files.h"

#include "Errors.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace mho::import {

namespace path = llvm::sys::path;

static MappedFile map(StringRef file) {
  // No terminator: with one, a file that fills its last page is read instead
  // of mapped.
  auto buffer = MemoryBuffer::getFile(file, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    throw ModelError("cannot read '" + file.str() +
                     "': " + buffer.getError().message());
  return MappedFile(std::move(*buffer));
}

ModelFiles::ModelFiles(StringRef file) : path(file) {
  if (sys::fs::is_directory(file))
    throw ModelError("cannot read '" + file.str() + "': it is a folder");
  modelFile = map(file);
  SmallString<256> real;
  if (sys::fs::real_path(file, real))
    real = file;
  folder = sys::path::parent_path(real).str();
}

ModelFiles::ModelFiles(StringRef name, MappedFile model, StringRef folder)
    : path(name), folder(folder), modelFile(std::move(model)), inMemory(true) {}

std::string ModelFiles::modelName() const {
  return sys::path::filename(path).str();
}

FileSlice ModelFiles::mapped(StringRef place) const {
  auto [first, second] = place.split(':');
  uint64_t offset, length;
  StringRef all = modelFile->getBuffer();
  if (first.getAsInteger(10, offset) || second.getAsInteger(10, length) ||
      offset > all.size() || length > all.size() - offset)
    throw ModelError("a tensor points outside the file");
  return {modelFile, all.substr(offset, length)};
}

FileSlice ModelFiles::external(StringRef tensor, StringRef location,
                               int64_t offset, int64_t length) {
  auto fail = [&](const Twine &what) {
    return ModelError(
        ("external data of tensor '" + tensor + "': " + what).str());
  };
  if (location.empty())
    throw fail("no file is named");
  if (inMemory && folder.empty())
    throw fail("the model is given in memory, without the folder of its "
               "external data");
  if (location.contains('\0'))
    throw fail("the file's name is damaged");
  if (sys::path::is_absolute(location) || location.starts_with("\\"))
    throw fail("file '" + location +
               "' is an absolute path; it must lie in the model's folder");
  for (auto part = sys::path::begin(location); part != sys::path::end(location);
       ++part)
    if (*part == "..")
      throw fail("file '" + location + "' leaves the model's folder");
  MappedFile &file = others[location];
  if (!file) {
    SmallString<256> full(folder), real, realFolder;
    sys::path::append(full, location);
    if (!sys::fs::exists(full))
      throw fail("file '" + location +
                 "' is missing; it belongs beside the model");
    if (sys::fs::real_path(full, real) ||
        sys::fs::real_path(folder.empty() ? "." : folder, realFolder))
      throw fail("file '" + location + "' cannot be found");
    realFolder += sys::path::get_separator();
    if (realFolder != "//" && !StringRef(real).starts_with(realFolder))
      throw fail("file '" + location +
                 "' leaves the model's folder through a link");
    if (!sys::fs::is_regular_file(real))
      throw fail("'" + location + "' is no regular file");
    auto buffer = MemoryBuffer::getFile(real, false, false);
    if (!buffer)
      throw fail("cannot read '" + location +
                 "': " + buffer.getError().message());
    file = MappedFile(std::move(*buffer));
  }
  int64_t size = file->getBufferSize();
  if (offset < 0 || offset > size)
    throw fail("offset " + Twine(offset) + " is outside file '" + location +
               "' of " + Twine(size) + " bytes");
  if (length < 0)
    length = size - offset;
  if (length > size - offset)
    throw fail("bytes " + Twine(offset) + " to " + Twine(offset + length) +
               " reach past the end of file '" + location + "' of " +
               Twine(size) + " bytes");
  return {file, file->getBuffer().substr(offset, length)};
}

} // namespace mho::import
