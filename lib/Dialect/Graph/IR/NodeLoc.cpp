//===- NodeLoc.cpp - ONNX nodes in locations ------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/NodeLoc.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace mho::graph {

Location nodeLoc(MLIRContext *context, StringRef name, StringRef opType) {
  auto kind = NameLoc::get(StringAttr::get(context, "@" + opType));
  return NameLoc::get(StringAttr::get(context, name), kind);
}

void collectNodes(Location location,
                  SmallVectorImpl<std::pair<StringRef, StringRef>> &nodes) {
  if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collectNodes(part, nodes);
    return;
  }
  if (auto call = dyn_cast<CallSiteLoc>(location)) {
    collectNodes(call.getCallee(), nodes);
    collectNodes(call.getCaller(), nodes);
    return;
  }
  auto named = dyn_cast<NameLoc>(location);
  if (!named)
    return;
  auto kind = dyn_cast<NameLoc>(named.getChildLoc());
  if (!kind || !kind.getName().getValue().starts_with("@")) {
    collectNodes(named.getChildLoc(), nodes);
    return;
  }
  std::pair<StringRef, StringRef> node(named.getName().getValue(),
                                       kind.getName().getValue().drop_front());
  if (!llvm::is_contained(nodes, node))
    nodes.push_back(node);
}

} // namespace mho::graph
