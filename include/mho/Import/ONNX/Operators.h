//===- Operators.h - the operators that the importer knows ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_IMPORT_ONNX_OPERATORS_H
#define MHO_IMPORT_ONNX_OPERATORS_H

#include <string>
#include <vector>

namespace mho {

/// How a node of an operator gets its meaning.
enum class OperatorSource {
  Handler,  ///< the importer makes graph ops of it
  Function, ///< its body in ONNX's schema is imported in its place
  None,     ///< it has no meaning here
};

struct OperatorInfo {
  /// Empty for ONNX's own domain.
  std::string domain, name;
  OperatorSource source = OperatorSource::None;
  /// What a node becomes when it is not folded: arrays and the tile dialect's
  /// instructions, or the body of others.
  std::string where;
  /// Versions of the operator set that changed it; none for operators that no
  /// schema is here for.
  std::vector<int> versions;
};

/// The operators of all domains that a handler or one of ONNX's schemas knows,
/// by domain and name. Deprecated ones without a handler are left out.
std::vector<OperatorInfo> listOperators();

} // namespace mho

#endif // MHO_IMPORT_ONNX_OPERATORS_H
