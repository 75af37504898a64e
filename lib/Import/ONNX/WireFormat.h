//===- WireFormat.h - takes big weights out of a model's bytes ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Protobuf would copy every weight. Before it sees the bytes, one walk over the
// wire format leaves large raw_data fields out and notes where in the file they
// stand.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_WIREFORMAT_H
#define MHO_LIB_IMPORT_ONNX_WIREFORMAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace mho::import {

/// Key of the external_data entry that stands for a raw_data left out; its
/// value is "offset:length" in the model's file.
inline constexpr llvm::StringLiteral kMappedKey = "mho.mapped";

/// `bytes` of a ModelProto without large raw_data, in `out`. False if they are
/// no well-formed message.
bool stripModel(llvm::StringRef bytes, std::string &out);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_WIREFORMAT_H
