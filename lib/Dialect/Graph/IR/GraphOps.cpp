//===- GraphOps.cpp - verifiers of graph ops ------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shapes are checked wherever they are known: behind graph.unsupported tensors
// may be unranked.
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mho::graph;

#include "mho/Dialect/Graph/IR/GraphInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "mho/Dialect/Graph/IR/GraphOps.cpp.inc"

namespace {

using Shape = SmallVector<int64_t>;

/// The shape of a static tensor; nothing where it is not known.
std::optional<ArrayRef<int64_t>> shapeOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  return type.getShape();
}

LogicalResult expectShape(Operation *op, ArrayRef<int64_t> expected) {
  auto found = shapeOf(op->getResult(0));
  if (!found || *found == expected)
    return success();
  auto error = op->emitOpError("expected result shape [");
  llvm::interleaveComma(expected, error);
  error << "], found [";
  llvm::interleaveComma(*found, error);
  return error << "]";
}

LogicalResult expectEntries(Operation *op, StringRef name,
                            ArrayRef<int64_t> list, size_t expected) {
  if (list.size() == expected)
    return success();
  return op->emitOpError("expected ")
         << expected << " entries in " << name << ", found " << list.size();
}

LogicalResult expectAxis(Operation *op, int64_t axis, int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return op->emitOpError("axis ")
         << axis << " is not one of the " << rank << " axes";
}

LogicalResult expectPermutation(Operation *op, ArrayRef<int64_t> perm) {
  Shape sorted(perm);
  llvm::sort(sorted);
  if (llvm::equal(sorted, llvm::seq<int64_t>(0, perm.size())))
    return success();
  return op->emitOpError("perm must name each axis once");
}

/// Where the spatial axes of an image begin, and where its channel axis is.
int64_t firstSpatial(bool channelsLast) { return channelsLast ? 1 : 2; }
int64_t channelAxis(ArrayRef<int64_t> shape, bool channelsLast) {
  return channelsLast ? shape.size() - 1 : 1;
}

struct Window {
  ArrayRef<int64_t> kernel, strides, pads, dilations;
  bool ceil, channelsLast;
};

/// Checks a window over `x` and that the result has `channels` channels.
LogicalResult verifyWindow(Operation *op, ArrayRef<int64_t> x, Window window,
                           int64_t channels) {
  if (x.size() < 3)
    return op->emitOpError("expected an image of rank 3 or more, found rank ")
           << x.size();
  size_t spatial = x.size() - 2;
  if (failed(expectEntries(op, "kernel", window.kernel, spatial)) ||
      failed(expectEntries(op, "strides", window.strides, spatial)) ||
      failed(expectEntries(op, "pads", window.pads, 2 * spatial)) ||
      failed(expectEntries(op, "dilations", window.dilations, spatial)))
    return failure();
  auto belowOne = [](int64_t extent) { return extent < 1; };
  if (llvm::any_of(window.kernel, belowOne) ||
      llvm::any_of(window.strides, belowOne) ||
      llvm::any_of(window.dilations, belowOne))
    return op->emitOpError("kernel, strides and dilations must be positive");
  Shape expected(x);
  expected[channelAxis(x, window.channelsLast)] = channels;
  for (size_t i = 0; i < spatial; ++i) {
    int64_t &extent = expected[firstSpatial(window.channelsLast) + i];
    int64_t positions = windowPositions(
        extent, window.kernel[i], window.strides[i], window.dilations[i],
        window.pads[i], window.pads[spatial + i], window.ceil);
    if (positions < 1)
      return op->emitOpError("window of ")
             << (window.kernel[i] - 1) * window.dilations[i] + 1
             << " does not fit spatial axis " << i << " of extent " << extent
             << " with padding " << window.pads[i] << " and "
             << window.pads[spatial + i];
    extent = positions;
  }
  return expectShape(op, expected);
}

template <typename OpTy> LogicalResult verifyPool(OpTy op) {
  auto x = shapeOf(op.getX());
  if (!x || x->size() < 3)
    return success();
  return verifyWindow(op, *x,
                      {op.getKernel(), op.getStrides(), op.getPads(),
                       op.getDilations(), op.getCeilMode(),
                       op.getChannelsLast()},
                      (*x)[channelAxis(*x, op.getChannelsLast())]);
}

template <typename OpTy> LogicalResult verifyReduction(OpTy op) {
  auto x = shapeOf(op.getX());
  if (!x)
    return success();
  int64_t last = -1;
  for (int64_t axis : op.getAxes()) {
    if (failed(expectAxis(op, axis, x->size())))
      return failure();
    if (axis <= last)
      return op.emitOpError("axes must be ascending");
    last = axis;
  }
  return expectShape(op, reducedShape(*x, op.getAxes(), op.getKeepdims()));
}

} // namespace

LogicalResult mho::graph::verifyElementwise(Operation *op) {
  auto first = shapeOf(op->getOperand(0));
  if (!first)
    return success();
  // The other operands of these are scalars, or (a scale) run along one axis.
  auto scale =
      op->getNumOperands() > 1 ? shapeOf(op->getOperand(1)) : std::nullopt;
  if (isa<ClipOp>(op) || (isa<QuantizeLinearOp, DequantizeLinearOp>(op) &&
                          (!scale || scale->size() <= 1)))
    return expectShape(op, *first);
  Shape shape(*first);
  for (Value operand : llvm::drop_begin(op->getOperands())) {
    auto other = shapeOf(operand);
    if (!other)
      return success();
    auto joined = broadcastShapes(shape, *other);
    if (!joined)
      return op->emitOpError("operands of types ")
             << op->getOperand(0).getType() << " and " << operand.getType()
             << " do not broadcast";
    shape = *joined;
  }
  return expectShape(op, shape);
}

LogicalResult BitCastOp::verify() {
  // A bool is a byte.
  auto bitsOf = [](Value v) {
    Type type = getElementTypeOrSelf(v.getType());
    return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth();
  };
  if (bitsOf(getX()) == bitsOf(getY()))
    return success();
  return emitOpError("elements of ") << getX().getType() << " and "
                                     << getY().getType() << " differ in width";
}

LogicalResult TreeLeavesOp::verify() {
  auto x = shapeOf(getX()), features = shapeOf(getFeatures()),
       roots = shapeOf(getRoots());
  if (!x || !features || !roots)
    return success();
  if (x->size() != 2 || features->size() != 1 || roots->size() != 1)
    return emitOpError("expected a matrix of samples and lists of nodes and "
                       "roots, found ")
           << getX().getType() << ", " << getFeatures().getType() << " and "
           << getRoots().getType();
  int64_t nodes = (*features)[0];
  for (Value table : {getThresholds(), getOutcomes(), getChildren()})
    if (auto shape = shapeOf(table);
        shape &&
        *shape != ArrayRef<int64_t>{table == getChildren() ? 2 * nodes : nodes})
      return emitOpError("tables of ")
             << nodes << " nodes do not have " << table.getType();
  if (int64_t(getDepth()) < 1)
    return emitOpError("depth must be positive, found ") << getDepth();
  return expectShape(*this, {(*x)[0], (*roots)[0]});
}

LogicalResult MatmulOp::verify() {
  auto a = shapeOf(getA()), b = shapeOf(getB());
  if (!a || !b)
    return success();
  auto shape = matmulShape(*a, *b);
  if (!shape)
    return emitOpError("cannot multiply ")
           << getA().getType() << " by " << getB().getType();
  return expectShape(*this, *shape);
}

LogicalResult GemmOp::verify() {
  auto a = shapeOf(getA()), b = shapeOf(getB());
  if (!a || !b)
    return success();
  if (a->size() != 2 || b->size() != 2)
    return emitOpError("expected matrices, found ")
           << getA().getType() << " and " << getB().getType();
  int64_t rows = (*a)[getTransA() ? 1 : 0], innerA = (*a)[getTransA() ? 0 : 1];
  int64_t innerB = (*b)[getTransB() ? 1 : 0],
          columns = (*b)[getTransB() ? 0 : 1];
  if (innerA != innerB)
    return emitOpError("inner extents ")
           << innerA << " and " << innerB << " differ";
  if (auto gates = getGates(); gates && columns % int64_t(gates->size()))
    return emitOpError("gates \"")
           << *gates << "\" do not divide " << columns << " columns";
  Shape shape{rows, columns};
  if (getC())
    if (auto c = shapeOf(getC())) {
      auto joined = broadcastShapes(shape, *c);
      if (!joined || *joined != shape)
        return emitOpError("third operand of type ")
               << getC().getType() << " does not broadcast to " << rows << "x"
               << columns;
    }
  return expectShape(*this, shape);
}

LogicalResult ConvOp::verify() {
  auto x = shapeOf(getX()), w = shapeOf(getW());
  if (!x || !w)
    return success();
  if (x->size() != w->size() || x->size() < 3)
    return emitOpError("expected image and weights of one rank of 3 or more, "
                       "found ")
           << getX().getType() << " and " << getW().getType();
  if (getKernel() != w->drop_front(2))
    return emitOpError("kernel differs from the weights' spatial extents");
  int64_t channels = (*x)[channelAxis(*x, getChannelsLast())];
  int64_t groups = getGroups();
  if (groups < 1 || channels != (*w)[1] * groups || (*w)[0] % groups != 0)
    return emitOpError("weights of type ")
           << getW().getType() << " do not fit " << channels
           << " input channels in " << groups << " groups";
  if (getBias())
    if (auto bias = shapeOf(getBias());
        bias && (bias->size() != 1 || (*bias)[0] != (*w)[0]))
      return emitOpError("expected a bias of ")
             << (*w)[0] << " values, found " << getBias().getType();
  return verifyWindow(*this, *x,
                      {getKernel(), getStrides(), getPads(), getDilations(),
                       false, getChannelsLast()},
                      (*w)[0]);
}

LogicalResult BatchNormalizationOp::verify() {
  auto x = shapeOf(getX());
  if (!x)
    return success();
  if (x->size() < 2)
    return emitOpError("expected rank 2 or more, found rank ") << x->size();
  int64_t channels = (*x)[channelAxis(*x, getChannelsLast())];
  for (Value parameter : getOperands().drop_front())
    if (auto shape = shapeOf(parameter);
        shape && (shape->size() != 1 || (*shape)[0] != channels))
      return emitOpError("expected ")
             << channels << " values a parameter, found "
             << parameter.getType();
  return expectShape(*this, *x);
}

LogicalResult MaxPoolOp::verify() { return verifyPool(*this); }
LogicalResult AveragePoolOp::verify() { return verifyPool(*this); }
LogicalResult SumPoolOp::verify() { return verifyPool(*this); }
LogicalResult ReduceMeanOp::verify() { return verifyReduction(*this); }
LogicalResult ReduceSumOp::verify() { return verifyReduction(*this); }
LogicalResult ReduceMaxOp::verify() { return verifyReduction(*this); }
LogicalResult ReduceMinOp::verify() { return verifyReduction(*this); }

LogicalResult ReduceProdOp::verify() { return verifyReduction(*this); }

template <typename OpTy> static LogicalResult verifyPlace(OpTy op) {
  auto x = shapeOf(op.getX());
  if (!x)
    return success();
  if (failed(expectAxis(op, op.getAxis(), x->size())))
    return failure();
  return expectShape(
      op, reducedShape(*x, {int64_t(op.getAxis())}, op.getKeepdims()));
}

LogicalResult ArgMaxOp::verify() { return verifyPlace(*this); }
LogicalResult ArgMinOp::verify() { return verifyPlace(*this); }

template <typename OpTy> static LogicalResult verifyScan(OpTy op) {
  auto x = shapeOf(op.getX());
  return x ? expectAxis(op, op.getAxis(), x->size()) : success();
}

LogicalResult CumSumOp::verify() { return verifyScan(*this); }
LogicalResult CumProdOp::verify() { return verifyScan(*this); }

LogicalResult SoftmaxOp::verify() {
  auto x = shapeOf(getX());
  if (!x)
    return success();
  for (int64_t axis : getAxes())
    if (failed(expectAxis(*this, axis, x->size())))
      return failure();
  return success();
}

LogicalResult ReshapeOp::verify() {
  auto x = dyn_cast<RankedTensorType>(getX().getType());
  auto y = dyn_cast<RankedTensorType>(getType());
  if (x && y && x.hasStaticShape() && y.hasStaticShape() &&
      x.getNumElements() != y.getNumElements())
    return emitOpError("cannot reshape ")
           << x.getNumElements() << " elements into " << y.getNumElements();
  return success();
}

LogicalResult TransposeOp::verify() {
  auto x = shapeOf(getX());
  if (!x)
    return success();
  if (failed(expectEntries(*this, "perm", getPerm(), x->size())) ||
      failed(expectPermutation(*this, getPerm())))
    return failure();
  Shape shape;
  for (int64_t axis : getPerm())
    shape.push_back((*x)[axis]);
  return expectShape(*this, shape);
}

LogicalResult ConcatOp::verify() {
  if (getXs().empty())
    return emitOpError("expected at least one operand");
  Shape shape;
  for (auto [number, operand] : llvm::enumerate(getXs())) {
    auto x = shapeOf(operand);
    if (!x)
      return success();
    if (failed(expectAxis(*this, getAxis(), x->size())))
      return failure();
    if (number == 0) {
      shape.assign(x->begin(), x->end());
      continue;
    }
    int64_t along = shape.size() == x->size() ? (*x)[getAxis()] : 0;
    Shape other(*x);
    if (other.size() == shape.size())
      other[getAxis()] = shape[getAxis()];
    if (other != shape)
      return emitOpError("operands differ outside axis ")
             << getAxis() << ": " << getXs()[0].getType() << " and "
             << operand.getType();
    shape[getAxis()] += along;
  }
  return expectShape(*this, shape);
}

LogicalResult SliceOp::verify() {
  auto x = shapeOf(getX()), y = shapeOf(getY());
  if (!x || !y)
    return success();
  if (y->size() != x->size())
    return emitOpError("rank must not change");
  if (failed(expectEntries(*this, "starts", getStarts(), x->size())) ||
      failed(expectEntries(*this, "steps", getSteps(), x->size())))
    return failure();
  for (auto [axis, extent] : llvm::enumerate(*x)) {
    int64_t count = (*y)[axis], first = getStarts()[axis];
    if (count == 0)
      continue;
    int64_t last = first + (count - 1) * getSteps()[axis];
    if (first < 0 || first >= extent || last < 0 || last >= extent)
      return emitOpError("slice reaches from ")
             << first << " to " << last << " on axis " << axis << " of extent "
             << extent;
  }
  return success();
}

void PadOp::build(OpBuilder &b, OperationState &state, Type type, Value x,
                  Value value, ArrayRef<OpFoldResult> low,
                  ArrayRef<OpFoldResult> high, StringRef mode) {
  SmallVector<Value> amounts;
  SmallVector<int64_t> lows, highs;
  dispatchIndexOpFoldResults(low, amounts, lows);
  dispatchIndexOpFoldResults(high, amounts, highs);
  build(b, state, type, x, value, amounts, b.getDenseI64ArrayAttr(lows),
        b.getDenseI64ArrayAttr(highs), b.getStringAttr(mode));
}

SmallVector<OpFoldResult> PadOp::getMixedLow() {
  Builder b(getContext());
  size_t own = llvm::count_if(getLow(), ShapedType::isDynamic);
  return getMixedValues(getLow(), getAmounts().take_front(own), b);
}

SmallVector<OpFoldResult> PadOp::getMixedHigh() {
  Builder b(getContext());
  size_t before = llvm::count_if(getLow(), ShapedType::isDynamic);
  return getMixedValues(getHigh(), getAmounts().drop_front(before), b);
}

void PadOp::setMixed(ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high) {
  SmallVector<Value> amounts;
  SmallVector<int64_t> lows, highs;
  dispatchIndexOpFoldResults(low, amounts, lows);
  dispatchIndexOpFoldResults(high, amounts, highs);
  setLow(lows);
  setHigh(highs);
  getAmountsMutable().assign(amounts);
}

LogicalResult PadOp::verify() {
  size_t open = llvm::count_if(getLow(), ShapedType::isDynamic) +
                llvm::count_if(getHigh(), ShapedType::isDynamic);
  if (open != getAmounts().size())
    return emitOpError("expected ")
           << open << " amounts of the run, found " << getAmounts().size();
  auto x = shapeOf(getX());
  if (!llvm::is_contained({"constant", "reflect", "edge", "wrap"}, getMode()))
    return emitOpError("mode must be constant, reflect, edge or wrap, found '")
           << getMode() << "'";
  if (!x)
    return success();
  if (failed(expectEntries(*this, "low", getLow(), x->size())) ||
      failed(expectEntries(*this, "high", getHigh(), x->size())))
    return failure();
  if (open != 0)
    return success();
  Shape shape;
  for (auto [axis, extent] : llvm::enumerate(*x))
    shape.push_back(extent + getLow()[axis] + getHigh()[axis]);
  return expectShape(*this, shape);
}

LogicalResult ExpandOp::verify() {
  auto x = shapeOf(getX()), y = shapeOf(getY());
  if (!x || !y)
    return success();
  auto joined = broadcastShapes(*x, *y);
  if (joined && *joined == Shape(*y))
    return success();
  return emitOpError("cannot broadcast ")
         << getX().getType() << " to " << getY().getType();
}

LogicalResult GatherOp::verify() {
  auto x = shapeOf(getX()), indices = shapeOf(getIndices());
  if (!x || !indices)
    return success();
  if (failed(expectAxis(*this, getAxis(), x->size())))
    return failure();
  Shape shape(x->take_front(getAxis()));
  llvm::append_range(shape, *indices);
  llvm::append_range(shape, x->drop_front(getAxis() + 1));
  return expectShape(*this, shape);
}
