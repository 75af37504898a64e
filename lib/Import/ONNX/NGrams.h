//===- NGrams.h - counts of known sequences -------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_NGRAMS_H
#define MHO_LIB_IMPORT_ONNX_NGRAMS_H

#include "Node.h"

namespace mho::import {

/// TfIdfVectorizer on integers.
void addNGrams(HandlerTable &table);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_NGRAMS_H
