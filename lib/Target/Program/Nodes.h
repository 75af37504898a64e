//===- Nodes.h - the program's table of nodes and locations ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_TARGET_PROGRAM_NODES_H
#define MHO_LIB_TARGET_PROGRAM_NODES_H

#include "mho/Program/program_generated.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <vector>

namespace mho {

/// Numbers nodes and locations in order of their first use.
/// Module attribute: array of "name@Op", the nodes that became constants.
inline constexpr llvm::StringLiteral kFoldedNodesAttr = "mho.folded";
/// What they are folded into.
inline constexpr llvm::StringLiteral kFoldedInto = "a constant";

class NodeTable {
public:
  explicit NodeTable(fb::ProgramT &program) : program(program) {}

  /// The first node of a location; a location without one gets an unnamed
  /// node.
  uint32_t nodeOf(mlir::Location loc);
  /// The location of an instruction; a kernel's nodes are weighted by the
  /// micro-ops that each brought.
  uint32_t locationOf(mlir::Operation *op);

  /// A node that no instruction came from, as "name@Op": the importer
  /// computed it.
  void addFolded(llvm::StringRef node);

private:
  uint32_t number(llvm::StringRef name, llvm::StringRef op);

  fb::ProgramT &program;
  llvm::StringMap<uint32_t> nodes;
  std::map<std::pair<std::vector<uint32_t>, std::vector<uint32_t>>, uint32_t>
      locations;
};

} // namespace mho

#endif // MHO_LIB_TARGET_PROGRAM_NODES_H
