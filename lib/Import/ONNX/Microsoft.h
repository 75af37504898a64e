//===- Microsoft.h - operators of domain com.microsoft --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What ONNX Runtime's exporters and optimizers write in place of ONNX's own
// operators. Each is a composition of graph ops (Compositions.h).
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_MICROSOFT_H
#define MHO_LIB_IMPORT_ONNX_MICROSOFT_H

#include "Node.h"

namespace mho::import {

void addMicrosoftElementwise(HandlerTable &table);
void addMicrosoftProducts(HandlerTable &table);
void addMicrosoftNormalizations(HandlerTable &table);
void addMicrosoftAttention(HandlerTable &table);
void addMicrosoftExperts(HandlerTable &table);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_MICROSOFT_H
