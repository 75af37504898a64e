//===- Npz.cpp - NumPy's archives of arrays
//---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Npz.h"

#include "Kernel/Scalar.h"

#include "mho/Support/TemporaryFile.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <unistd.h>
#include <zip.h>

using namespace mho;
using namespace mho::rt;
using isa::Type;

//===----------------------------------------------------------------------===//
// The header of one array
//===----------------------------------------------------------------------===//

namespace {
struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
  size_t dataOffset = 0;
};

struct CloseZip {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
} // namespace

/// What stands behind `key:` in the header's dictionary.
static std::optional<std::string_view> entryOf(std::string_view header,
                                               std::string_view key) {
  size_t at = header.find("'" + std::string(key) + "'");
  if (at == std::string_view::npos)
    return std::nullopt;
  at = header.find(':', at);
  if (at == std::string_view::npos)
    return std::nullopt;
  header.remove_prefix(at + 1);
  header.remove_prefix(std::min(header.find_first_not_of(" "), header.size()));
  return header;
}

/// As many as NumPy itself knows.
static constexpr size_t kMostAxes = 64;

static Expected<Header> parseHeader(std::span<const std::byte> bytes) {
  const char *text = reinterpret_cast<const char *>(bytes.data());
  if (bytes.size() < 10 || std::memcmp(text, "\x93NUMPY", 6) != 0)
    return failure("is not an array in NumPy's format");
  unsigned version = uint8_t(text[6]);
  if (version < 1 || version > 3)
    return failure("has version " + std::to_string(version) +
                   " of NumPy's format, 1 to 3 are known");
  size_t length = uint8_t(text[8]) | size_t(uint8_t(text[9])) << 8;
  size_t start = 10;
  if (version >= 2) {
    if (bytes.size() < 12)
      return failure("is cut off inside its header");
    length |= size_t(uint8_t(text[10])) << 16 | size_t(uint8_t(text[11])) << 24;
    start = 12;
  }
  if (length > bytes.size() - start)
    return failure("is cut off inside its header");
  std::string_view header(text + start, length);
  Header result;
  result.dataOffset = start + length;
  auto descr = entryOf(header, "descr");
  auto order = entryOf(header, "fortran_order");
  auto shape = entryOf(header, "shape");
  if (!descr || !order || !shape || shape->empty() || (*shape)[0] != '(')
    return failure("has a header that says no type or shape");
  if (descr->empty() || (*descr)[0] != '\'')
    return failure("is a structured array, which no input takes");
  result.descr = std::string(descr->substr(1, descr->find('\'', 1) - 1));
  result.fortran = order->substr(0, 4) == "True";
  std::string_view rest = shape->substr(1, shape->find(')') - 1);
  unsigned __int128 elements = 1;
  while (!rest.empty()) {
    size_t comma = std::min(rest.find(','), rest.size());
    std::string number(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (number.find_first_of("0123456789") == std::string::npos)
      continue;
    errno = 0;
    char *end = nullptr;
    long long extent = std::strtoll(number.c_str(), &end, 10);
    if (errno || extent < 0 || *end)
      return failure("has the extent " + number);
    if (result.shape.size() == kMostAxes)
      return failure("has more than " + std::to_string(kMostAxes) + " axes");
    result.shape.push_back(extent);
    elements *= std::max<unsigned long long>(1, (unsigned long long)extent);
    if (elements > (uint64_t(1) << 48))
      return failure("declares more elements than any file has");
  }
  return result;
}

static std::optional<Type> typeOfDescr(const std::string &descr) {
  std::string code = descr.substr(std::min<size_t>(1, descr.size()));
  static const std::pair<const char *, Type> types[] = {
      {"f4", Type::F32},
      {"f8", Type::F64},
      {"f2", Type::F16},
      {"i1", Type::I8},
      {"i2", Type::I16},
      {"i4", Type::I32},
      {"i8", Type::I64},
      {"u1", Type::U8},
      {"u2", Type::U16},
      {"u4", Type::U32},
      {"u8", Type::U64},
      {"b1", Type::Bool},
      // How NumPy saves types that it does not know: bit patterns.
      {"V1", Type::U8},
      {"V2", Type::U16}};
  for (auto [name, type] : types)
    if (code == name)
      return type;
  return std::nullopt;
}

/// Fortran order to row-major.
static Tensor transposed(const Tensor &source) {
  Tensor result(source.type, source.shape);
  size_t bytes = isa::sizeOf(source.type);
  size_t rank = source.shape.size();
  std::vector<int64_t> point(rank, 0);
  for (size_t i = 0, n = source.elements(); i < n; ++i) {
    size_t from = 0;
    for (size_t d = rank; d-- > 0;)
      from = from * size_t(source.shape[d]) + size_t(point[d]);
    std::memcpy(result.data.data() + i * bytes,
                source.data.data() + from * bytes, bytes);
    for (size_t d = rank; d-- > 0 && ++point[d] == source.shape[d];)
      point[d] = 0;
  }
  return result;
}

static Expected<Tensor> parseArray(std::span<const std::byte> bytes) {
  auto header = parseHeader(bytes);
  if (!header)
    return header.status();
  auto type = typeOfDescr(header->descr);
  if (!type) {
    char kind = header->descr.size() > 1 ? header->descr[1] : '?';
    std::string what = kind == 'O'                  ? "Python objects"
                       : kind == 'U' || kind == 'S' ? "strings"
                       : kind == 'c'                ? "complex numbers"
                                                    : "'" + header->descr + "'";
    return failure("holds " + what + "; numbers or booleans are expected");
  }
  if (header->fortran)
    std::reverse(header->shape.begin(), header->shape.end());
  size_t wanted = isa::sizeOf(*type);
  for (int64_t extent : header->shape)
    wanted *= size_t(extent);
  if (bytes.size() - header->dataOffset < wanted)
    return failure(
        "is cut off: " + std::to_string(bytes.size() - header->dataOffset) +
        " bytes of data where its shape needs " + std::to_string(wanted));
  Tensor tensor(*type, header->shape);
  if (wanted) // an empty vector has no address
    std::memcpy(tensor.data.data(), bytes.data() + header->dataOffset, wanted);
  size_t width = isa::sizeOf(*type);
  if (header->descr[0] == '>' && width > 1)
    for (size_t i = 0; i < wanted; i += width)
      std::reverse(tensor.data.begin() + long(i),
                   tensor.data.begin() + long(i + width));
  if (header->fortran) {
    std::reverse(tensor.shape.begin(), tensor.shape.end());
    return transposed(tensor);
  }
  return tensor;
}

//===----------------------------------------------------------------------===//
// The archive
//===----------------------------------------------------------------------===//

Expected<TensorMap> rt::readNpz(const std::string &path) {
  int code = 0;
  std::unique_ptr<zip_t, CloseZip> archive(
      zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive) {
    if (code == ZIP_ER_NOENT)
      return failure(path + ": no such file");
    if (code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS || code == ZIP_ER_EOF)
      return failure(path + ": not an .npz archive, or cut off; numpy.savez "
                            "writes one");
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return failure(path + ": cannot be read: " + text);
  }
  TensorMap arrays;
  zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < entries; ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(archive.get(), zip_uint64_t(i), 0, &stat) != 0 ||
        !(stat.valid & ZIP_STAT_NAME) || !(stat.valid & ZIP_STAT_SIZE))
      return failure(path + ": entry " + std::to_string(i) +
                     " of the archive is broken");
    std::string name = stat.name;
    if (name.size() > 4 && name.substr(name.size() - 4) == ".npy")
      name.resize(name.size() - 4);
    // A deflated byte holds at most about a thousand.
    if (stat.size > (zip_uint64_t(1) << 20) &&
        stat.size / 2000 > stat.comp_size)
      return failure(path + ": array '" + name +
                     "' has a size that its "
                     "compressed bytes cannot hold");
    std::vector<std::byte> bytes(stat.size);
    zip_file_t *file = zip_fopen_index(archive.get(), zip_uint64_t(i), 0);
    zip_int64_t read = file ? zip_fread(file, bytes.data(), stat.size) : -1;
    std::byte behind;
    // The checksum is compared at the end of the entry.
    zip_int64_t rest = file && read >= 0 ? zip_fread(file, &behind, 1) : -1;
    if (file)
      zip_fclose(file);
    if (read < 0 || zip_uint64_t(read) != stat.size || rest != 0)
      return failure(path + ": array '" + name + "' is damaged or cut off");
    auto tensor = parseArray(bytes);
    if (!tensor)
      return failure(path + ": array '" + name + "' " + tensor.message());
    arrays[name] = std::move(*tensor);
  }
  return arrays;
}

static const char *descrOf(Type type) {
  switch (type) {
  case Type::Bool:
    return "|b1";
  case Type::I8:
  case Type::I4:
  case Type::I2:
    return "|i1";
  case Type::U8:
  case Type::U4:
  case Type::U2:
    return "|u1";
  case Type::I16:
    return "<i2";
  case Type::U16:
    return "<u2";
  case Type::I32:
    return "<i4";
  case Type::U32:
    return "<u4";
  case Type::I64:
    return "<i8";
  case Type::U64:
    return "<u8";
  case Type::F16:
    return "<f2";
  case Type::F64:
    return "<f8";
  default:
    return "<f4";
  }
}

static std::string encodeArray(const Tensor &tensor) {
  std::string header = std::string("{'descr': '") + descrOf(tensor.type) +
                       "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : tensor.shape)
    header += std::to_string(extent) + ",";
  header += "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size() & 255);
  bytes += char(header.size() >> 8);
  bytes += header;
  bool lacking = isa::isFloat(tensor.type) && tensor.type != Type::F16 &&
                 tensor.type != Type::F32 && tensor.type != Type::F64;
  if (!lacking) {
    bytes.append(reinterpret_cast<const char *>(tensor.data.data()),
                 tensor.data.size());
    return bytes;
  }
  for (size_t i = 0, n = tensor.elements(); i < n; ++i) {
    float value = float(elementAsDouble(tensor, i));
    bytes.append(reinterpret_cast<const char *>(&value), 4);
  }
  return bytes;
}

Status rt::writeNpz(
    const std::string &path,
    const std::vector<std::pair<std::string, const Tensor *>> &arrays) {
  // The archive's own temporary file is renamed when it is closed, but a
  // failure there leaves an old file as it was only in the same folder.
  std::string temporary = path + ".tmp" + std::to_string(getpid());
  // A device or a pipe is to be written to, not to be replaced.
  std::optional<TemporaryFile> copied;
  std::error_code none;
  if (auto status = std::filesystem::status(path, none);
      std::filesystem::exists(status) &&
      !std::filesystem::is_regular_file(status)) {
    auto made = TemporaryFile::create("mho-npz");
    if (!made)
      return made.status();
    temporary = made->path();
    copied = std::move(*made);
  }
  auto fail = [&](const std::string &why) {
    std::remove(temporary.c_str());
    return failure(path + ": cannot be written: " + why);
  };
  int code = 0;
  zip_t *archive =
      zip_open(temporary.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (!archive)
    return fail(std::strerror(errno));
  std::vector<std::string> contents;
  contents.reserve(arrays.size());
  for (const auto &[name, tensor] : arrays) {
    const std::string &bytes = contents.emplace_back(encodeArray(*tensor));
    zip_source_t *source =
        zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    zip_int64_t index = source ? zip_file_add(archive, (name + ".npy").c_str(),
                                              source, ZIP_FL_ENC_UTF_8)
                               : -1;
    if (index < 0) {
      std::string why = zip_strerror(archive);
      if (source)
        zip_source_free(source);
      zip_discard(archive);
      return fail(why);
    }
    zip_set_file_compression(archive, zip_uint64_t(index), ZIP_CM_STORE, 0);
    // Equal contents, equal bytes: no clock in the file.
    zip_file_set_dostime(archive, zip_uint64_t(index), 0, (1 << 5) | 1, 0);
  }
  if (zip_close(archive) != 0) {
    std::string why = zip_strerror(archive);
    zip_discard(archive);
    return fail(why);
  }
  if (copied) {
    PendingFile output(path);
    Status status = output.create();
    if (status.ok())
      status = output.appendFile(temporary);
    return status.ok() ? output.keep() : status;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0)
    return fail(std::strerror(errno));
  return success();
}
