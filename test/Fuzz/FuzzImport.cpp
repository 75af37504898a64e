//===- FuzzImport.cpp - any bytes as an ONNX model ------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Input.h"
#include "ModelMutator.h"

#include "mho/Import/ONNX/Import.h"

#include "google/protobuf/stubs/logging.h"
#include "mlir/IR/Diagnostics.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static bool parse(const uint8_t *data, size_t size, onnx::ModelProto &model) {
  google::protobuf::LogSilencer silence;
  return model.ParsePartialFromArray(data, int(size));
}

/// Writes the model where it has room; 0 if it has not.
static size_t put(const onnx::ModelProto &model, uint8_t *data, size_t most) {
  std::string text = model.SerializePartialAsString();
  if (text.size() > most)
    return 0;
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t most, unsigned int seed) {
  onnx::ModelProto model;
  if (seed % 16 == 0 || !parse(data, size, model))
    return LLVMFuzzerMutate(data, size, most);
  ModelMutator mutator(model, seed);
  for (unsigned changes = 1 + seed % 3; changes; --changes)
    mutator.change();
  size_t changed = put(model, data, most);
  return changed ? changed : LLVMFuzzerMutate(data, size, most);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t oneSize,
                                            const uint8_t *two, size_t twoSize,
                                            uint8_t *out, size_t most,
                                            unsigned int seed) {
  onnx::ModelProto model, other;
  if (!parse(one, oneSize, model) || !parse(two, twoSize, other))
    return 0;
  ModelMutator(model, seed).cross(other);
  return put(model, out, most);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input file(data, size);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::ScopedDiagnosticHandler silent(
      &context, [](mlir::Diagnostic &) { return mlir::success(); });
  (void)mho::importOnnx(file.path(), {}, context);
  return 0;
}
