//===- Extents.cpp - extents that only the run knows ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Extents.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace mho::import {

/// Tensors of more elements are data, not shapes.
static constexpr int64_t kMaximumElements = 64;

ArrayRef<int64_t> symbolicShape(RankedTensorType type) {
  if (auto symbols = dyn_cast_or_null<DenseI64ArrayAttr>(type.getEncoding()))
    return symbols.asArrayRef();
  return type.getShape();
}

RankedTensorType boundedType(ArrayRef<int64_t> shape, Type element) {
  SmallVector<int64_t> extents(shape);
  for (int64_t &extent : extents)
    if (isSymbol(extent))
      extent = ShapedType::kDynamic;
  Attribute symbols;
  if (hasSymbol(shape))
    symbols = DenseI64ArrayAttr::get(element.getContext(), shape);
  return RankedTensorType::get(extents, element, symbols);
}

int64_t Extents::add(Value index, int64_t low, int64_t high, std::string name) {
  bases.push_back({index, {low, high}, std::move(name)});
  return extentOf({0, {{unsigned(bases.size() - 1), 1}}});
}

void Extents::forget(Region &region) {
  // Another value may come to stand where one was.
  for (Base &base : bases)
    if (base.index && region.isAncestor(base.index.getParentRegion()))
      base.index = Value();
}

bool Extents::followsFromData(int64_t extent) const {
  return llvm::any_of(sumOf(extent).terms, [&](auto term) {
    Value index = bases[term.first].index;
    return !index || !index.getDefiningOp<graph::ExtentOp>();
  });
}

Extents::Sum Extents::sumOf(int64_t extent) const {
  if (isSymbol(extent))
    return sums[kFirstSymbol - extent];
  return {extent, {}};
}

int64_t Extents::extentOf(const Sum &sum) {
  Sum lean{sum.constant, {}};
  for (auto [base, factor] : sum.terms)
    if (factor != 0)
      lean.terms[base] = factor;
  if (lean.terms.empty())
    return lean.constant;
  auto known = llvm::find(sums, lean);
  size_t number = known - sums.begin();
  if (known == sums.end())
    sums.push_back(lean);
  return kFirstSymbol - int64_t(number);
}

int64_t Extents::sum(int64_t a, int64_t c) {
  Sum all = sumOf(a), more = sumOf(c);
  all.constant += more.constant;
  for (auto [base, factor] : more.terms)
    all.terms[base] += factor;
  return extentOf(all);
}

int64_t Extents::difference(int64_t a, int64_t c) {
  return sum(a, *product(c, -1));
}

std::optional<int64_t> Extents::product(int64_t a, int64_t c) {
  if (isSymbol(a) && isSymbol(c))
    return std::nullopt;
  if (isSymbol(c))
    std::swap(a, c);
  Sum all = sumOf(a);
  all.constant *= c;
  for (auto &[base, factor] : all.terms)
    factor *= c;
  return extentOf(all);
}

std::optional<int64_t> Extents::quotient(int64_t a, int64_t c) {
  if (a == c)
    return 1;
  if (isSymbol(c)) {
    // A multiple of the same sum.
    Sum whole = sumOf(a), part = sumOf(c);
    auto [base, factor] = *part.terms.begin();
    auto found = whole.terms.find(base);
    if (found == whole.terms.end() || found->second % factor)
      return std::nullopt;
    int64_t times = found->second / factor;
    return product(c, times) == a ? std::optional(times) : std::nullopt;
  }
  if (c == 0)
    return std::nullopt;
  Sum all = sumOf(a);
  if (all.constant % c)
    return std::nullopt;
  all.constant /= c;
  for (auto &[base, factor] : all.terms) {
    if (factor % c)
      return std::nullopt;
    factor /= c;
  }
  return extentOf(all);
}

std::optional<int64_t> Extents::elements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape) {
    auto next = product(count, extent);
    if (!next)
      return std::nullopt;
    count = *next;
  }
  return count;
}

Extents::Range Extents::range(int64_t extent) const {
  Sum sum = sumOf(extent);
  Range all{sum.constant, sum.constant};
  for (auto [base, factor] : sum.terms) {
    Range one = bases[base].range;
    all.low += factor * (factor > 0 ? one.low : one.high);
    all.high += factor * (factor > 0 ? one.high : one.low);
  }
  return all;
}

std::optional<int64_t> Extents::max(int64_t a, int64_t c) {
  Range more = range(difference(a, c));
  return more.low >= 0    ? std::optional(a)
         : more.high <= 0 ? std::optional(c)
                          : std::nullopt;
}

std::optional<int64_t> Extents::min(int64_t a, int64_t c) {
  Range more = range(difference(a, c));
  return more.low >= 0    ? std::optional(c)
         : more.high <= 0 ? std::optional(a)
                          : std::nullopt;
}

std::string Extents::text(int64_t extent) const {
  Sum sum = sumOf(extent);
  std::string all;
  for (auto [base, factor] : sum.terms) {
    if (!all.empty())
      all += factor < 0 ? " - " : " + ";
    else if (factor < 0)
      all += "-";
    if (std::abs(factor) != 1)
      all += std::to_string(std::abs(factor)) + "·";
    all += bases[base].name;
  }
  if (all.empty())
    return std::to_string(sum.constant);
  if (sum.constant)
    all += (sum.constant < 0 ? " - " : " + ") +
           std::to_string(std::abs(sum.constant));
  return all;
}

OpFoldResult Extents::value(OpBuilder &b, Location loc, int64_t extent) const {
  if (!isSymbol(extent))
    return b.getIndexAttr(extent);
  Sum sum = sumOf(extent);
  auto number = [&](int64_t n) {
    return arith::ConstantIndexOp::create(b, loc, n).getResult();
  };
  Value all;
  for (auto [base, factor] : sum.terms) {
    Value part = bases[base].index;
    if (factor != 1)
      part = arith::MulIOp::create(b, loc, part, number(factor));
    all = all ? arith::AddIOp::create(b, loc, all, part).getResult() : part;
  }
  if (sum.constant)
    all = arith::AddIOp::create(b, loc, all, number(sum.constant));
  return all;
}

std::optional<int64_t> Extents::scalar(Value value) {
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant.getInt();
  for (auto [number, base] : llvm::enumerate(bases))
    if (base.index == value)
      return extentOf({0, {{unsigned(number), 1}}});
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumOperands() == 0)
    return std::nullopt;
  if (isa<arith::IndexCastOp>(op))
    return scalar(op->getOperand(0));
  if (!isa<arith::AddIOp, arith::MulIOp>(op))
    return std::nullopt;
  auto a = scalar(op->getOperand(0)), c = scalar(op->getOperand(1));
  if (!a || !c)
    return std::nullopt;
  return isa<arith::AddIOp>(op) ? std::optional(sum(*a, *c)) : product(*a, *c);
}

std::optional<SmallVector<int64_t>> Extents::integers(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || !type.hasStaticShape() ||
      type.getNumElements() > kMaximumElements ||
      !isa<IntegerType>(type.getElementType()))
    return std::nullopt;
  DenseElementsAttr constant;
  if (matchPattern(tensor, m_Constant(&constant))) {
    SmallVector<int64_t> values;
    for (const APInt &value : constant.getValues<APInt>())
      values.push_back(type.getElementType().isInteger(1)
                           ? value.getZExtValue()
                           : value.getSExtValue());
    return values;
  }
  Operation *op = tensor.getDefiningOp();
  return op ? compute(op) : std::nullopt;
}

std::optional<SmallVector<int64_t>> Extents::compute(Operation *op) {
  using List = SmallVector<int64_t>;
  using Result = std::optional<List>;
  if (auto made = dyn_cast<tensor::FromElementsOp>(op)) {
    List all;
    for (Value element : made.getElements()) {
      auto one = scalar(element);
      if (!one)
        return std::nullopt;
      all.push_back(*one);
    }
    return all;
  }
  SmallVector<List> x;
  for (Value operand : op->getOperands()) {
    auto one = integers(operand);
    if (!one)
      return std::nullopt;
    x.push_back(*one);
  }
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  size_t count = type.getNumElements();
  // Element by element; one element stands for all.
  auto map = [&](auto &&function) -> Result {
    List all;
    for (size_t i = 0; i < count; ++i) {
      SmallVector<int64_t, 3> at;
      for (const List &operand : x) {
        if (operand.size() != 1 && operand.size() != count)
          return std::nullopt;
        at.push_back(operand[operand.size() == 1 ? 0 : i]);
      }
      std::optional<int64_t> one = function(at);
      if (!one)
        return std::nullopt;
      all.push_back(*one);
    }
    return all;
  };
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<graph::ReshapeOp, graph::CastOp>([&](Operation *) { return x[0]; })
      .Case([&](graph::ConcatOp) -> Result {
        if (type.getRank() != 1)
          return std::nullopt;
        List all;
        for (const List &part : x)
          all.append(part);
        return all;
      })
      .Case([&](graph::GatherOp gather) -> Result {
        List all;
        if (cast<RankedTensorType>(gather.getX().getType()).getRank() != 1)
          return std::nullopt;
        for (int64_t index : x[1]) {
          index += index < 0 ? int64_t(x[0].size()) : 0;
          if (index < 0 || index >= int64_t(x[0].size()))
            return std::nullopt;
          all.push_back(x[0][index]);
        }
        return all;
      })
      .Case([&](graph::SliceOp slice) -> Result {
        List all;
        if (type.getRank() != 1)
          return std::nullopt;
        for (size_t i = 0; i < count; ++i)
          all.push_back(
              x[0][slice.getStarts()[0] + int64_t(i) * slice.getSteps()[0]]);
        return all;
      })
      .Case([&](graph::ExpandOp) {
        return map([](ArrayRef<int64_t> at) { return std::optional(at[0]); });
      })
      .Case([&](graph::AddOp) {
        return map([&](ArrayRef<int64_t> at) {
          return std::optional(sum(at[0], at[1]));
        });
      })
      .Case([&](graph::SubOp) {
        return map([&](ArrayRef<int64_t> at) {
          return std::optional(difference(at[0], at[1]));
        });
      })
      .Case([&](graph::MulOp) {
        return map([&](ArrayRef<int64_t> at) { return product(at[0], at[1]); });
      })
      .Case([&](graph::DivOp) {
        return map(
            [&](ArrayRef<int64_t> at) { return quotient(at[0], at[1]); });
      })
      .Case([&](graph::MaxOp) {
        return map([&](ArrayRef<int64_t> at) { return max(at[0], at[1]); });
      })
      .Case([&](graph::MinOp) {
        return map([&](ArrayRef<int64_t> at) { return min(at[0], at[1]); });
      })
      .Case([&](graph::EqualOp) {
        return map([&](ArrayRef<int64_t> at) -> std::optional<int64_t> {
          if (at[0] == at[1])
            return 1;
          Range apart = range(difference(at[0], at[1]));
          if (apart.low > 0 || apart.high < 0)
            return 0;
          return std::nullopt;
        });
      })
      .Case([&](graph::WhereOp) {
        return map([](ArrayRef<int64_t> at) {
          return std::optional(at[0] ? at[1] : at[2]);
        });
      })
      .Default([](Operation *) { return std::nullopt; });
}

bool takesBounded(StringRef key) {
  static const llvm::StringSet<> names{".Abs",
                                       ".Add",
                                       ".And",
                                       ".ArgMax",
                                       ".ArgMin",
                                       ".Cast",
                                       ".CastLike",
                                       ".Ceil",
                                       ".Clip",
                                       ".Compress",
                                       ".Concat",
                                       ".ConstantOfShape",
                                       ".Cos",
                                       ".CumSum",
                                       ".Div",
                                       ".Dropout",
                                       ".Elu",
                                       ".Equal",
                                       ".Erf",
                                       ".Exp",
                                       ".Expand",
                                       ".Flatten",
                                       ".Floor",
                                       ".GRU",
                                       ".Gather",
                                       ".GatherElements",
                                       ".GatherND",
                                       ".Gelu",
                                       ".Gemm",
                                       ".Greater",
                                       ".GreaterOrEqual",
                                       ".HardSigmoid",
                                       ".HardSwish",
                                       ".Identity",
                                       ".IsNaN",
                                       ".LSTM",
                                       ".LayerNormalization",
                                       ".LeakyRelu",
                                       ".Less",
                                       ".LessOrEqual",
                                       ".Log",
                                       ".MatMul",
                                       ".Max",
                                       ".Mean",
                                       ".Min",
                                       ".Mod",
                                       ".Mul",
                                       ".Neg",
                                       ".NonMaxSuppression",
                                       ".NonZero",
                                       ".Not",
                                       ".Or",
                                       ".Pow",
                                       ".RNN",
                                       ".Range",
                                       ".Reciprocal",
                                       ".ReduceMax",
                                       ".ReduceMean",
                                       ".ReduceMin",
                                       ".ReduceSum",
                                       ".Relu",
                                       ".Reshape",
                                       ".Round",
                                       ".ScatterElements",
                                       ".ScatterND",
                                       ".Shape",
                                       ".Sigmoid",
                                       ".Sign",
                                       ".Sin",
                                       ".Size",
                                       ".Slice",
                                       ".Softmax",
                                       ".Softplus",
                                       ".Softsign",
                                       ".Split",
                                       ".Sqrt",
                                       ".Squeeze",
                                       ".Sub",
                                       ".Sum",
                                       ".Tanh",
                                       ".TopK",
                                       ".Transpose",
                                       ".Unique",
                                       ".Unsqueeze",
                                       ".Where",
                                       ".Xor"};
  return names.contains(key);
}

} // namespace mho::import
