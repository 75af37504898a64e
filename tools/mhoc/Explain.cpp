//===- Explain.cpp - where every ONNX node runs, and why ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/NodeLoc.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mho::mhoc {

namespace {

/// The most trips of a loop that does not show it itself.
constexpr StringLiteral kBoundAttr = "mho.bound";

/// What became of one ONNX node.
struct Fate {
  std::string op;
  std::string place; ///< empty: folded
  uint64_t arrays = 0, cells = 0, capacity = 0, macs = 0;
  std::string why;
};

/// How many vectors a run takes through a product, as far as loops tell.
int64_t vectorsOf(analog::MvmOp mvm) {
  int64_t vectors = 1;
  for (int64_t extent :
       cast<mlir::ShapedType>(mvm.getOut().getType()).getShape().drop_back())
    vectors *= mlir::ShapedType::isDynamic(extent) ? 1 : extent;
  for (auto loop = mvm->getParentOfType<mlir::LoopLikeOpInterface>(); loop;
       loop = loop->getParentOfType<mlir::LoopLikeOpInterface>()) {
    if (auto bound = loop->getAttrOfType<mlir::IntegerAttr>(kBoundAttr))
      vectors *= bound.getInt();
    else if (auto trips = loop.getStaticTripCount())
      vectors *= trips->getSExtValue();
  }
  return vectors;
}

} // namespace

void explain(mlir::ModuleOp graph, mlir::ModuleOp placed, const ChipModel &chip,
             raw_ostream &os) {
  // In the order of the graph: reports follow the model.
  StringMap<size_t> places;
  std::vector<std::pair<std::string, Fate>> fates;
  SmallVector<std::pair<StringRef, StringRef>> nodes;
  auto forEachNode = [&](mlir::Operation *op, auto visit) {
    nodes.clear();
    graph::collectNodes(op->getLoc(), nodes);
    for (auto [name, kind] : nodes) {
      auto [place, added] = places.try_emplace(name, fates.size());
      if (added)
        fates.emplace_back(name.str(), Fate());
      Fate &fate = fates[place->second].second;
      if (fate.op.empty())
        fate.op = kind.str();
      visit(fate);
    }
  };
  graph.walk([&](mlir::Operation *op) {
    if (!isa<mlir::ModuleOp>(op) && op->getNumResults())
      forEachNode(op, [](Fate &) {});
  });

  mlir::SymbolTable symbols(placed);
  auto units = placed->getAttrOfType<mlir::ArrayAttr>(analog::kUnitsAttr);
  placed.walk([&](mlir::Operation *op) {
    auto unit = op->getAttrOfType<mlir::IntegerAttr>(analog::kOpUnitAttr);
    if (!unit)
      return;
    StringRef kind =
        cast<mlir::StringAttr>(
            cast<mlir::DictionaryAttr>(units[unit.getInt()]).get("kind"))
            .getValue();
    forEachNode(op, [&](Fate &fate) {
      auto mvm = dyn_cast<analog::MvmOp>(op);
      if (!mvm) {
        if (fate.place.empty())
          fate.place = "digital (" + kind.str() + ")";
        if (fate.why.empty() &&
            isa<graph::ConvOp, graph::MatmulOp, graph::GemmOp>(op))
          fate.why = "no constant weights, or one input channel a group";
        return;
      }
      auto bank = symbols.lookup<analog::BankOp>(mvm.getBank());
      auto rows = bank.getRowSplits();
      auto columns = bank.getColSplits();
      uint64_t blocks = (mvm.getRowEnd() - mvm.getRowBegin()) *
                        (mvm.getColEnd() - mvm.getColBegin());
      uint64_t cells = (rows[mvm.getRowEnd()] - rows[mvm.getRowBegin()]) *
                       (columns[mvm.getColEnd()] - columns[mvm.getColBegin()]);
      fate.place = "analog (" + kind.str() + ")";
      fate.arrays += blocks;
      fate.cells += cells;
      fate.capacity += blocks * chip.arrayRows() * chip.arrayColumns();
      fate.macs += cells * vectorsOf(mvm);
    });
  });

  uint64_t analogMacs = 0;
  os << left_justify("node", 40) << left_justify("operator", 20)
     << left_justify("where", 20) << left_justify("arrays", 8)
     << left_justify("used", 8) << "why\n";
  for (auto &[name, fate] : fates) {
    os << left_justify(name, 40) << left_justify(fate.op, 20)
       << left_justify(fate.place.empty() ? "folded" : fate.place, 20);
    if (fate.arrays) {
      os << left_justify(std::to_string(fate.arrays), 8)
         << format("%5.1f%%  ", 100.0 * fate.cells / fate.capacity);
      analogMacs += fate.macs;
    } else {
      os << left_justify("", 16);
    }
    if (fate.place.empty() && fate.why.empty())
      fate.why = "constant, or part of its neighbour";
    os << fate.why << "\n";
  }
  os << "static multiply-accumulates on arrays: " << analogMacs << " a run\n";
}

} // namespace mho::mhoc
