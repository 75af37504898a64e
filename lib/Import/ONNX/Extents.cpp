//===- Extents.cpp - extents that only the run knows ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Extents.h"

#include "Tensors.h"

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
  if (!hasSymbol(shape))
    return tensorType(shape, element);
  SmallVector<int64_t> extents(shape);
  for (int64_t &extent : extents)
    if (isSymbol(extent))
      extent = ShapedType::kDynamic;
  return RankedTensorType::get(
      extents, element, DenseI64ArrayAttr::get(element.getContext(), shape));
}

std::optional<int64_t> Extents::scalar(Value value) {
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant))) {
    // A number that would pass for a symbol is none of the extents' business.
    int64_t number = constant.getInt();
    return isSymbol(number) ? std::nullopt : std::optional(number);
  }
  for (auto [number, base] : llvm::enumerate(bases))
    if (base.index == value)
      return extentOf({{{unsigned(number)}, 1}});
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
  return isa<arith::AddIOp>(op) ? sum(*a, *c) : product(*a, *c);
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
    if (hasSymbol(values))
      return std::nullopt;
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
        return map([&](ArrayRef<int64_t> at) {
          return std::optional(product(at[0], at[1]));
        });
      })
      .Case([&](graph::DivOp) {
        return map([&](ArrayRef<int64_t> at) -> std::optional<int64_t> {
          if (auto exact = quotient(at[0], at[1]))
            return exact;
          // Rounded down, as integers are where they are not negative.
          if (isSymbol(at[1]) || at[1] <= 0 || range(at[0]).low < 0)
            return std::nullopt;
          return floorQuotient(at[0], at[1]);
        });
      })
      .Case([&](graph::ModOp mod) {
        return map([&](ArrayRef<int64_t> at) -> std::optional<int64_t> {
          if (isSymbol(at[1]) || at[1] <= 0 ||
              (mod.getTruncated() && range(at[0]).low < 0))
            return std::nullopt;
          return remainder(at[0], at[1]);
        });
      })
      .Case([&](graph::MaxOp) {
        return map([&](ArrayRef<int64_t> at) {
          return std::optional(max(at[0], at[1]));
        });
      })
      .Case([&](graph::MinOp) {
        return map([&](ArrayRef<int64_t> at) {
          return std::optional(min(at[0], at[1]));
        });
      })
      .Case<graph::ReduceMaxOp, graph::ReduceMinOp, graph::ReduceSumOp,
            graph::ReduceProdOp>([&](Operation *) -> Result {
        // Over all axes.
        if (count != 1 || x[0].empty())
          return std::nullopt;
        int64_t all = x[0].front();
        for (int64_t one : ArrayRef(x[0]).drop_front())
          all = isa<graph::ReduceMaxOp>(op)   ? max(all, one)
                : isa<graph::ReduceMinOp>(op) ? min(all, one)
                : isa<graph::ReduceSumOp>(op) ? sum(all, one)
                                              : product(all, one);
        return List{all};
      })
      .Case([&](graph::NegOp) {
        return map([&](ArrayRef<int64_t> at) {
          return std::optional(product(at[0], -1));
        });
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
      .Case([&](graph::LessOp) {
        return map([&](ArrayRef<int64_t> at) { return less(at[0], at[1]); });
      })
      .Case([&](graph::GreaterOp) {
        return map([&](ArrayRef<int64_t> at) { return less(at[1], at[0]); });
      })
      .Case([&](graph::NotOp) {
        return map([&](ArrayRef<int64_t> at) -> std::optional<int64_t> {
          return isSymbol(at[0]) || !type.getElementType().isInteger(1)
                     ? std::nullopt
                     : std::optional<int64_t>(!at[0]);
        });
      })
      .Case([&](graph::WhereOp) {
        return map([](ArrayRef<int64_t> at) {
          return isSymbol(at[0]) ? std::nullopt
                                 : std::optional(at[0] ? at[1] : at[2]);
        });
      })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<int64_t> Extents::less(int64_t a, int64_t c) {
  Range apart = range(difference(c, a));
  if (apart.low > 0)
    return 1;
  if (apart.high <= 0)
    return 0;
  // The smaller of a and another is not more than a, the larger of c and
  // another not less than c.
  for (const auto &[key, made] : derivations) {
    const auto &[kind, x, y] = key;
    if ((kind == "min" && made == c && (x == a || y == a)) ||
        (kind == "max" && made == a && (x == c || y == c)))
      return 0;
  }
  return std::nullopt;
}

bool takesBounded(StringRef key) {
  static const llvm::StringSet<> names{
      ".Abs",
      ".Acos",
      ".Acosh",
      ".Add",
      ".And",
      ".ArgMax",
      ".ArgMin",
      ".Asin",
      ".Asinh",
      ".Atan",
      ".Atanh",
      ".Attention",
      ".AveragePool",
      ".BatchNormalization",
      ".BitShift",
      ".BitwiseAnd",
      ".BitwiseNot",
      ".BitwiseOr",
      ".BitwiseXor",
      ".Cast",
      ".CastLike",
      ".Ceil",
      ".Celu",
      ".Clip",
      ".Compress",
      ".Concat",
      ".ConstantOfShape",
      ".Conv",
      ".ConvTranspose",
      ".ConvInteger",
      ".Cos",
      ".Cosh",
      ".CumProd",
      ".CumSum",
      ".DepthToSpace",
      ".DequantizeLinear",
      ".Div",
      ".Dropout",
      ".DynamicQuantizeLinear",
      ".Einsum",
      ".Elu",
      ".Equal",
      ".Erf",
      ".Exp",
      ".Expand",
      ".EyeLike",
      ".Flatten",
      ".Floor",
      ".GRU",
      ".Gather",
      ".GatherElements",
      ".GatherND",
      ".Gelu",
      ".Gemm",
      ".GlobalAveragePool",
      ".GlobalLpPool",
      ".GlobalMaxPool",
      ".Greater",
      ".GreaterOrEqual",
      ".GroupNormalization",
      ".HardSigmoid",
      ".HardSwish",
      ".Hardmax",
      ".Identity",
      ".If",
      ".InstanceNormalization",
      ".IsInf",
      ".IsNaN",
      ".LRN",
      ".LSTM",
      ".LayerNormalization",
      ".LeakyRelu",
      ".Less",
      ".LessOrEqual",
      ".Log",
      ".LogSoftmax",
      ".Loop",
      ".LpNormalization",
      ".LpPool",
      ".MatMul",
      ".MatMulInteger",
      ".Max",
      ".MaxPool",
      ".Mean",
      ".MeanVarianceNormalization",
      ".Min",
      ".Mish",
      ".Mod",
      ".Mul",
      ".Neg",
      ".NonMaxSuppression",
      ".NonZero",
      ".Not",
      ".OneHot",
      ".Or",
      ".PRelu",
      ".Pad",
      ".Pow",
      ".QLinearConv",
      ".QLinearMatMul",
      ".QuantizeLinear",
      ".RMSNormalization",
      ".RNN",
      ".Range",
      ".Reciprocal",
      ".ReduceL1",
      ".ReduceL2",
      ".ReduceLogSum",
      ".ReduceLogSumExp",
      ".ReduceMax",
      ".ReduceMean",
      ".ReduceMin",
      ".ReduceProd",
      ".ReduceSum",
      ".ReduceSumSquare",
      ".Relu",
      ".Reshape",
      ".Resize",
      ".ReverseSequence",
      ".RotaryEmbedding",
      ".RoiAlign",
      ".Round",
      ".Scan",
      ".Scatter",
      ".ScatterElements",
      ".ScatterND",
      ".Selu",
      ".Shape",
      ".Shrink",
      ".Sigmoid",
      ".Sign",
      ".SimplifiedLayerNormalization",
      ".Sin",
      ".Sinh",
      ".Size",
      ".Slice",
      ".Softmax",
      ".Softplus",
      ".Softsign",
      ".SpaceToDepth",
      ".Split",
      ".Sqrt",
      ".Squeeze",
      ".Sub",
      ".Sum",
      ".SwiGLU",
      ".Swish",
      ".Tan",
      ".Tanh",
      ".TensorScatter",
      ".ThresholdedRelu",
      ".Tile",
      ".TopK",
      ".Transpose",
      ".Trilu",
      ".Unique",
      ".Unsqueeze",
      ".Upsample",
      ".Where",
      ".Xor",
      "com.microsoft.Attention",
      "com.microsoft.BiasAdd",
      "com.microsoft.BiasGelu",
      "com.microsoft.BiasSoftmax",
      "com.microsoft.DequantizeLinear",
      "com.microsoft.DynamicQuantizeLSTM",
      "com.microsoft.DynamicQuantizeMatMul",
      "com.microsoft.EmbedLayerNormalization",
      "com.microsoft.FastGelu",
      "com.microsoft.FusedConv",
      "com.microsoft.FusedGemm",
      "com.microsoft.FusedMatMul",
      "com.microsoft.FusedMatMulActivation",
      "com.microsoft.Gelu",
      "com.microsoft.GemmFastGelu",
      "com.microsoft.GroupQueryAttention",
      "com.microsoft.MatMulIntegerToFloat",
      "com.microsoft.MatMulNBits",
      "com.microsoft.MoE",
      "com.microsoft.MultiHeadAttention",
      "com.microsoft.NhwcConv",
      "com.microsoft.NhwcFusedConv",
      "com.microsoft.QAttention",
      "com.microsoft.QEmbedLayerNormalization",
      "com.microsoft.QGemm",
      "com.microsoft.QLinearAdd",
      "com.microsoft.QLinearAveragePool",
      "com.microsoft.QLinearConcat",
      "com.microsoft.QLinearGlobalAveragePool",
      "com.microsoft.QLinearLeakyRelu",
      "com.microsoft.QLinearMul",
      "com.microsoft.QLinearSigmoid",
      "com.microsoft.QLinearSoftmax",
      "com.microsoft.QLinearWhere",
      "com.microsoft.QuantizeLinear",
      "com.microsoft.QuickGelu",
      "com.microsoft.RotaryEmbedding",
      "com.microsoft.SimplifiedLayerNormalization",
      "com.microsoft.SkipLayerNormalization",
      "com.microsoft.SkipSimplifiedLayerNormalization",
      "com.microsoft.TransposeMatMul"};
  return names.contains(key);
}

} // namespace mho::import
