//===- Explain.cpp - where every ONNX node runs, and why ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "mho/Dialect/Graph/IR/Bounds.h"
#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/NodeLoc.h"
#include "mho/Dialect/Graph/IR/Stationary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mho::mhoc {

namespace {

/// What became of one ONNX node.
struct Fate {
  std::string op;
  std::string place; ///< empty: folded
  uint64_t arrays = 0, cells = 0, capacity = 0, macs = 0;
  std::string why;
};

/// Multiply-accumulates with constant weights in one run.
struct StaticMacs {
  uint64_t analog = 0, digital = 0, depthwise = 0;
};

/// How often a run comes by, as far as loops tell.
uint64_t timesRun(mlir::Operation *op) {
  uint64_t times = 1;
  for (auto loop = op->getParentOfType<mlir::LoopLikeOpInterface>(); loop;
       loop = loop->getParentOfType<mlir::LoopLikeOpInterface>()) {
    if (auto bound = loop->getAttrOfType<mlir::IntegerAttr>(graph::kBoundAttr))
      times *= bound.getInt();
    else if (auto trips = loop.getStaticTripCount())
      times *= trips->getSExtValue();
  }
  return times;
}

uint64_t elementsOf(mlir::Type type) {
  uint64_t count = 1;
  for (int64_t extent : cast<mlir::ShapedType>(type).getShape())
    count *= mlir::ShapedType::isDynamic(extent) ? 1 : extent;
  return count;
}

uint64_t vectorsOf(analog::MvmOp mvm) {
  auto type = cast<mlir::ShapedType>(mvm.getOut().getType());
  uint64_t columns = std::max<int64_t>(type.getShape().back(), 1);
  return elementsOf(type) / columns * timesRun(mvm);
}

bool isDepthwise(graph::ConvOp op) {
  auto weights = cast<mlir::ShapedType>(op.getW().getType());
  return op.getGroups() > 1 && weights.getDimSize(1) == 1;
}

/// Of an op that stayed digital: its multiply-accumulates with a constant.
uint64_t staticMacsOf(mlir::Operation *op) {
  auto one = [](mlir::Value a, mlir::Value b) {
    return graph::isStationary(a) != graph::isStationary(b);
  };
  auto inner = [](mlir::Value a, bool first) -> uint64_t {
    auto shape = cast<mlir::ShapedType>(a.getType()).getShape();
    return shape.empty() ? 1 : first ? shape.front() : shape.back();
  };
  return timesRun(op) *
         TypeSwitch<mlir::Operation *, uint64_t>(op)
             .Case([&](graph::MatmulOp product) -> uint64_t {
               if (!one(product.getA(), product.getB()))
                 return 0;
               return elementsOf(product.getType()) *
                      inner(product.getA(), false);
             })
             .Case([&](graph::GemmOp product) -> uint64_t {
               if (!one(product.getA(), product.getB()))
                 return 0;
               return elementsOf(product.getType()) *
                      inner(product.getA(), product.getTransA());
             })
             .Case([&](graph::ConvOp conv) -> uint64_t {
               if (!graph::isStationary(conv.getW()))
                 return 0;
               uint64_t outputs =
                   cast<mlir::ShapedType>(conv.getW().getType()).getDimSize(0);
               return elementsOf(conv.getType()) *
                      elementsOf(conv.getW().getType()) / outputs;
             })
             .Case([&](graph::WeightStationaryOpInterface other) -> uint64_t {
               uint64_t macs = 0;
               for (const auto &product : other.getStationaryProducts()) {
                 uint64_t rows = 1;
                 for (int64_t axis : product.rows)
                   rows *= product.sizes[axis];
                 macs += elementsOf(op->getResult(0).getType()) * rows;
               }
               return macs;
             })
             .Default(uint64_t(0));
}

/// Why a digital op is digital.
std::string digitalReason(mlir::Operation *op) {
  bool isStatic = staticMacsOf(op) > 0;
  if (auto conv = dyn_cast<graph::ConvOp>(op); conv && isStatic)
    if (isDepthwise(conv))
      return "one input channel a group: each would fill one column";
  if (isa<graph::WeightStationaryOpInterface>(op))
    return isStatic ? "its constant has a form that no array holds"
                    : "both factors change";
  if (op->hasTrait<graph::ElementwiseTrait>())
    return "element by element";
  if (isa<graph::ReshapeOp, graph::TransposeOp, graph::ConcatOp, graph::SliceOp,
          graph::PadOp, graph::ExpandOp, graph::GatherOp>(op) ||
      op->getName().getDialectNamespace() == "tensor")
    return "moves data";
  return "no product with constant weights";
}

/// The matrix that a product holds on its arrays.
std::string matrixOf(analog::BankOp bank) {
  return "constant " + std::to_string(bank.getView().getNumRows()) + "x" +
         std::to_string(bank.getView().getNumColumns()) + " matrix";
}

/// Collects fates by node, in the order of the graph: reports follow the model.
class Fates {
public:
  explicit Fates(const ChipModel &chip) : chip(chip) {}

  template <typename Visit> void forEachNode(mlir::Operation *op, Visit visit) {
    nodes.clear();
    graph::collectNodes(op->getLoc(), nodes);
    for (auto [name, kind] : nodes) {
      auto [place, added] = places.try_emplace(name, all.size());
      if (added)
        all.emplace_back(name.str(), Fate());
      Fate &fate = all[place->second].second;
      if (fate.op.empty())
        fate.op = kind.str();
      visit(fate);
    }
  }

  void addAnalog(analog::MvmOp mvm, analog::BankOp bank, StringRef kind) {
    auto rows = bank.getRowSplits();
    auto columns = bank.getColSplits();
    uint64_t blocks = (mvm.getRowEnd() - mvm.getRowBegin()) *
                      (mvm.getColEnd() - mvm.getColBegin());
    uint64_t cells = (rows[mvm.getRowEnd()] - rows[mvm.getRowBegin()]) *
                     (columns[mvm.getColEnd()] - columns[mvm.getColBegin()]);
    uint64_t macs = cells * vectorsOf(mvm);
    total.analog += macs;
    forEachNode(mvm, [&](Fate &fate) {
      fate.place = "analog (" + kind.str() + ")";
      fate.why = matrixOf(bank);
      fate.arrays += blocks;
      fate.cells += cells;
      fate.capacity += blocks * chip.arrayRows() * chip.arrayColumns();
      fate.macs += macs;
    });
  }

  void addDigital(mlir::Operation *op, StringRef kind) {
    uint64_t macs = staticMacsOf(op);
    auto conv = dyn_cast<graph::ConvOp>(op);
    (conv && isDepthwise(conv) ? total.depthwise : total.digital) += macs;
    forEachNode(op, [&](Fate &fate) {
      if (!fate.arrays) {
        // Of a node's ops the one with a product says most.
        if (fate.place.empty() || isa<graph::WeightStationaryOpInterface>(op))
          fate.why = digitalReason(op);
        fate.place = "digital (" + kind.str() + ")";
      }
      fate.macs += macs;
    });
  }

  void print(raw_ostream &os) const {
    os << left_justify("node", 40) << left_justify("operator", 20)
       << left_justify("where", 20) << left_justify("arrays", 8)
       << left_justify("used", 8) << left_justify("static MACs", 14) << "why\n";
    for (const auto &[name, fate] : all) {
      os << left_justify(name, 40) << left_justify(fate.op, 20)
         << left_justify(fate.place.empty() ? "folded" : fate.place, 20);
      if (fate.arrays)
        os << left_justify(std::to_string(fate.arrays), 8)
           << format("%5.1f%%  ", 100.0 * fate.cells / fate.capacity);
      else
        os << left_justify("", 16);
      os << left_justify(fate.macs ? std::to_string(fate.macs) : "", 14)
         << (fate.place.empty() ? "constant, or part of its neighbour"
                                : fate.why)
         << "\n";
    }
    uint64_t both = total.analog + total.digital;
    os << "static multiply-accumulates a run: " << total.analog << " analog, "
       << total.digital << " digital";
    if (both)
      os << format(" (%.2f %% analog)", 100.0 * total.analog / both);
    if (total.depthwise)
      os << ", and " << total.depthwise << " depthwise";
    os << "\n";
  }

private:
  const ChipModel &chip;
  StringMap<size_t> places;
  std::vector<std::pair<std::string, Fate>> all;
  SmallVector<std::pair<StringRef, StringRef>> nodes;
  StaticMacs total;
};

} // namespace

void explain(mlir::ModuleOp graph, mlir::ModuleOp placed, const ChipModel &chip,
             raw_ostream &os) {
  Fates fates(chip);
  graph.walk([&](mlir::Operation *op) {
    if (!isa<mlir::ModuleOp>(op) && op->getNumResults())
      fates.forEachNode(op, [](Fate &) {});
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
    if (auto mvm = dyn_cast<analog::MvmOp>(op))
      fates.addAnalog(mvm, symbols.lookup<analog::BankOp>(mvm.getBank()), kind);
    else if (!isa<mlir::tensor::EmptyOp>(op))
      fates.addDigital(op, kind);
  });
  fates.print(os);
}

} // namespace mho::mhoc
