//===- Nodes.cpp - the program's table of nodes and locations -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Nodes.h"

#include "mho/Dialect/Graph/IR/NodeLoc.h"
#include "mho/Dialect/Tile/IR/TileOps.h"
#include "mho/Program/Instructions.h"

#include "llvm/ADT/MapVector.h"

#include <numeric>

using namespace mlir;
using namespace mho;

using NodeList = SmallVector<std::pair<StringRef, StringRef>>;

static NodeList nodesOf(Location loc) {
  NodeList nodes;
  graph::collectNodes(loc, nodes);
  return nodes;
}

void NodeTable::addFolded(StringRef node) {
  auto [name, op] = node.rsplit('@');
  if (!nodes.count(name))
    program.nodes[number(name, op)]->folded_into = kFoldedInto.str();
}

uint32_t NodeTable::number(StringRef name, StringRef op) {
  auto [it, isNew] = nodes.try_emplace(name, uint32_t(program.nodes.size()));
  if (isNew) {
    auto node = std::make_unique<fb::NodeT>();
    node->name = name;
    node->op = op;
    program.nodes.push_back(std::move(node));
  }
  return it->second;
}

uint32_t NodeTable::nodeOf(Location loc) {
  NodeList nodes = nodesOf(loc);
  return nodes.empty() ? number("", "")
                       : number(nodes.front().first, nodes.front().second);
}

uint32_t NodeTable::locationOf(Operation *op) {
  // A micro-op of several nodes counts for each of them in equal parts; 60
  // divides by any small number of nodes.
  constexpr uint32_t kParts = 60;
  llvm::MapVector<uint32_t, uint32_t> weights;
  for (auto [name, type] : nodesOf(op->getLoc()))
    weights.insert({number(name, type), 0});
  // A disassembled instruction carries its weights.
  auto fused = dyn_cast<FusedLocWith<DenseI64ArrayAttr>>(op->getLoc());
  if (fused && fused.getMetadata().size() == int64_t(weights.size()))
    for (auto [entry, weight] :
         llvm::zip(weights, fused.getMetadata().asArrayRef()))
      entry.second = uint32_t(weight);
  else if (auto kernel = dyn_cast<tile::KernelOp>(op))
    for (Operation &micro : kernel.getBody().front().without_terminator()) {
      auto opcode = isa::microOpcode(micro.getName().getStringRef().str());
      uint32_t cost = opcode ? isa::microOpInfo(uint16_t(*opcode))->cost : 0;
      NodeList nodes = nodesOf(micro.getLoc());
      for (auto [name, type] : nodes)
        weights[number(name, type)] += kParts * cost / nodes.size();
    }

  uint32_t common = 0;
  for (auto [node, weight] : weights)
    common = std::gcd(common, weight);
  auto location = std::make_unique<fb::LocationT>();
  bool differ = false;
  for (auto [node, weight] : weights) {
    location->nodes.push_back(node);
    location->weights.push_back(weight / std::max(common, 1u));
    differ |= weight != weights.front().second;
  }
  if (!differ)
    location->weights.clear();
  auto [it, isNew] =
      locations.try_emplace(std::pair(location->nodes, location->weights),
                            uint32_t(program.locations.size()));
  if (isNew)
    program.locations.push_back(std::move(location));
  return it->second;
}
