//===- Files.h - the model's file and its external data, mapped -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_FILES_H
#define MHO_LIB_IMPORT_ONNX_FILES_H

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace mho::import {

/// A file mapped for reading, kept as long as anything points into it.
using MappedFile = std::shared_ptr<llvm::MemoryBuffer>;

/// Bytes of a mapped file.
struct FileSlice {
  MappedFile file;
  llvm::StringRef bytes;
};

class ModelFiles {
public:
  /// Throws ModelError where `path` cannot be read.
  explicit ModelFiles(llvm::StringRef path);
  /// A model that is in memory: its name, and the folder of its external data
  /// (empty: there is none).
  ModelFiles(llvm::StringRef name, MappedFile model, llvm::StringRef folder);

  const MappedFile &model() const { return modelFile; }
  /// File name without its folder.
  std::string modelName() const;

  /// The part of the model's file that a stripped raw_data stood in.
  FileSlice mapped(llvm::StringRef place) const;
  /// Bytes of external data for the tensor called `tensor`. The file must lie
  /// in the model's folder or below. Negative `length`: to the end.
  FileSlice external(llvm::StringRef tensor, llvm::StringRef location,
                     int64_t offset, int64_t length);

private:
  std::string path, folder;
  MappedFile modelFile;
  llvm::StringMap<MappedFile> others;
  bool inMemory = false;
};

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_FILES_H
