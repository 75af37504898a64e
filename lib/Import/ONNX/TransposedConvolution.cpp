//===- TransposedConvolution.cpp - products whose pieces overlap ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every input vector times the weights gives one piece of the result; pieces
// overlap and are added, axis by axis. The product has the input channels as
// rows and kernel × output channels as columns, so constant weights stay on an
// array as they are.
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "Window.h"

using namespace mlir;

namespace mho::import {

namespace {

/// The same along one axis with as many points as the run says. Element
/// s·q + r of the sum consists of those pieces k with k·dilation = s·a + r,
/// each shifted by a points: all that have one r are added, then the sums for
/// r = 0 … s - 1 stand side by side.
Value overlapAddedByPhases(Node &n, Value pieces, int64_t axis,
                           int64_t pieceAxis, int64_t stride, int64_t dilation,
                           int64_t begin, int64_t extent) {
  Shape shape(n.shape(pieces));
  int64_t rank = shape.size(), count = shape[pieceAxis], points = shape[axis];
  int64_t most = (count - 1) * dilation / stride;
  Shape around(rank, 0), steps(rank, 1);
  around[axis] = most;
  shape[axis] = n.extents->sum(points, 2 * most);
  Value x = n.make<graph::PadOp>(n.typeOf(shape, n.element(pieces)), pieces,
                                 Value(), n.b.getDenseI64ArrayAttr(around),
                                 n.b.getDenseI64ArrayAttr(around),
                                 n.b.getStringAttr("constant"));
  shape[axis] = n.extents->sum(points, most);
  shape[pieceAxis] = 1;
  Shape phase(shape);
  phase.erase(phase.begin() + pieceAxis);
  phase.insert(phase.begin() + axis + 1, 1);
  SmallVector<Value> phases(stride);
  for (int64_t piece = 0; piece < count; ++piece) {
    Shape starts(rank, 0);
    starts[axis] = most - piece * dilation / stride;
    starts[pieceAxis] = piece;
    Value part = n.reshape(n.sliced(x, starts, steps, shape), phase);
    Value &sum = phases[piece * dilation % stride];
    sum = sum ? n.binary<graph::AddOp>(sum, part) : part;
  }
  for (Value &sum : phases)
    if (!sum)
      sum = n.expand(n.scalar(n.element(pieces), 0), phase);
  Value y = concatenated(n, phases, axis + 1);
  phase.erase(phase.begin() + axis + 1);
  phase[axis] = n.extents->product(shape[axis], stride);
  y = n.reshape(y, phase);
  // Where the result reaches further than any piece.
  int64_t missing =
      n.extents->difference(n.extents->sum(extent, begin), phase[axis]);
  if (int64_t more = n.extents->range(missing).high; more > 0) {
    Shape low(rank - 1, 0), high(low);
    high[axis] = more;
    phase[axis] = n.extents->sum(phase[axis], more);
    y = n.make<graph::PadOp>(n.typeOf(phase, n.element(y)), y, Value(),
                             n.b.getDenseI64ArrayAttr(low),
                             n.b.getDenseI64ArrayAttr(high),
                             n.b.getStringAttr("constant"));
  }
  Shape starts(rank - 1, 0);
  starts[axis] = begin;
  phase[axis] = extent;
  return n.sliced(y, starts, Shape(rank - 1, 1), phase);
}

/// Sums pieces along all spatial axes: N, points…, kernel…, rest becomes
/// N, `extents`…, rest.
Value overlapAdded(Node &n, Value pieces, const Window &window,
                   ArrayRef<int64_t> extents) {
  int64_t spatial = extents.size();
  for (int64_t i = 0; i < spatial; ++i) {
    if (hasSymbol(n.shape(pieces))) {
      pieces =
          overlapAddedByPhases(n, pieces, 1 + i, 1 + spatial, window.strides[i],
                               window.dilations[i], window.pads[i], extents[i]);
      continue;
    }
    Shape shape(n.shape(pieces));
    shape.erase(shape.begin() + 1 + spatial);
    shape[1 + i] = extents[i];
    pieces = n.make<graph::OverlapAddOp>(
        n.typeOf(shape, n.element(pieces)), pieces,
        n.b.getI64IntegerAttr(1 + spatial), n.b.getI64IntegerAttr(1 + i),
        n.b.getI64IntegerAttr(window.strides[i]),
        n.b.getI64IntegerAttr(window.dilations[i]),
        n.b.getI64IntegerAttr(window.pads[i]));
  }
  return pieces;
}

/// N, spatial…, C as N, C, spatial….
Value channelsFirst(Node &n, Value x) {
  int64_t rank = n.type(x).getRank();
  Shape perm{0, rank - 1};
  llvm::append_range(perm, llvm::seq<int64_t>(1, rank - 1));
  return n.transpose(x, perm);
}

/// The result's spatial extents; sets the pads where auto_pad or output_shape
/// do.
Shape transposedExtents(Node &n, ArrayRef<int64_t> image, Window &window) {
  size_t spatial = image.size();
  Shape extra = n.integers("output_padding").value_or(Shape(spatial, 0));
  auto asked = n.integers("output_shape");
  std::string automatic = n.string("auto_pad", "NOTSET");
  if (asked && asked->size() == spatial + 2)
    asked->erase(asked->begin(), asked->begin() + 2);
  if (extra.size() != spatial || (asked && asked->size() != spatial))
    n.fail("output_padding and output_shape need " + Twine(spatial) +
           " entries");
  bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (!same && automatic != "NOTSET" && automatic != "VALID" &&
      !automatic.empty())
    n.fail("auto_pad is NOTSET, VALID, SAME_UPPER or SAME_LOWER, found '" +
           automatic + "'");
  if (automatic == "VALID")
    window.pads.assign(2 * spatial, 0);
  Shape extents;
  for (size_t i = 0; i < spatial; ++i) {
    if (extra[i] < 0 || extra[i] > INT32_MAX)
      n.fail("output_padding must not be negative, found " + Twine(extra[i]));
    if (n.extents->range(image[i]).high > INT32_MAX)
      n.fail("spatial axis " + Twine(i) + " has the extent " +
             n.extents->text(image[i]));
    // Beyond stride·image.
    int64_t more = extra[i] - window.strides[i] +
                   (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t scaled = n.extents->product(image[i], window.strides[i]);
    int64_t extent = n.extents->sum(scaled, more - window.pads[i] -
                                                window.pads[spatial + i]);
    if (asked || same) {
      extent = asked ? (*asked)[i] : scaled;
      if (!isSymbol(extent))
        extent = std::clamp<int64_t>(extent, 0, INT64_MAX / 2);
      int64_t total =
          n.extents->difference(n.extents->sum(scaled, more), extent);
      if (isSymbol(total))
        n.refuse("attribute 'output_shape' asks for " + Twine(extent) +
                 " places along spatial axis " + Twine(i) +
                 ", whose extent is " + n.extents->text(image[i]) + "; " +
                 n.extents->howToFix(image[i]) + ", or state the pads");
      std::tie(window.pads[i], window.pads[spatial + i]) =
          distributed(std::max<int64_t>(0, total), automatic);
    }
    if (n.extents->range(extent).high < 1 ||
        n.extents->range(extent).high > INT32_MAX)
      n.fail("spatial axis " + Twine(i) + " of the result has the extent " +
             n.extents->text(extent));
    extents.push_back(extent);
  }
  return extents;
}

/// N, points…, C and weights C, kernel…, outputs as pieces N, points…,
/// kernel…, outputs of all groups.
Value piecesOf(Node &n, Value x, Value w, int64_t groups) {
  int64_t rank = n.type(x).getRank(), channels = n.shape(x).back();
  int64_t inGroup = channels / groups, outputs = n.shape(w).back();
  ArrayRef<int64_t> kernel = n.shape(w).drop_front().drop_back();
  Shape points(n.shape(x).drop_back()), shape(points);
  llvm::append_range(shape, kernel);
  if (inGroup == 1) {
    // One channel each: no product of matrices.
    Shape vectors(points), weights(points.size(), 1), perm;
    vectors.append(kernel.size(), 1);
    vectors.append({channels, 1});
    llvm::append_range(weights, kernel);
    weights.append({channels, outputs});
    llvm::append_range(perm, llvm::seq<int64_t>(1, rank - 1));
    perm.append({0, rank - 1});
    Value pieces = n.binary<graph::MulOp>(
        n.reshape(x, vectors), n.reshape(n.transpose(w, perm), weights));
    shape.push_back(channels * outputs);
    return n.reshape(pieces, shape);
  }
  n.expectParts(groups, "groups of a transposed convolution");
  int64_t columns = n.type(w).getNumElements() / channels;
  shape.push_back(outputs);
  points.push_back(columns);
  SmallVector<Value> parts;
  for (int64_t group = 0; group < groups; ++group) {
    Value vectors =
        sliced(n, x, rank - 1, group * inGroup, group * inGroup + inGroup);
    Value matrix =
        n.reshape(sliced(n, w, 0, group * inGroup, group * inGroup + inGroup),
                  {inGroup, columns});
    Value pieces = n.make<graph::MatmulOp>(n.typeOf(points, n.element(x)),
                                           vectors, matrix);
    parts.push_back(n.reshape(pieces, shape));
  }
  return groups == 1 ? parts[0] : concatenated(n, parts, shape.size() - 1);
}

void convTranspose(Node &n) {
  Value x = n.input(0), w = n.input(1), bias = n.optional(2);
  n.checkSameElement(x, w);
  int64_t rank = n.type(x).getRank(), spatial = rank - 2;
  if (rank < 3 || n.type(w).getRank() != rank)
    n.fail("image and weights need one rank of 3 or more, found " +
           Twine(rank) + " and " + Twine(n.type(w).getRank()));
  int64_t channels = n.shape(x)[1], groups = n.integer("group", 1);
  int64_t outputs = n.shape(w)[1];
  if (groups < 1 || n.shape(w)[0] != channels || channels % groups)
    n.fail("weights for " + Twine(n.shape(w)[0]) + " channels in " +
           Twine(groups) + " groups do not fit " + Twine(channels) +
           " input channels");
  if (bias && n.shape(bias) != ArrayRef<int64_t>(outputs * groups))
    n.fail("expected a bias of " + Twine(outputs * groups) + " values");
  Window window = attributesOf(n, spatial, n.shape(w).drop_front(2));
  Shape extents = transposedExtents(n, n.shape(x).drop_front(2), window);
  // Narrow floats would be rounded at every sum.
  Type element = n.element(x);
  if (element.isF16() || element.isBF16()) {
    x = n.cast(x, n.b.getF32Type());
    w = n.cast(w, n.b.getF32Type());
  }

  // Vectors of channels, and weights as C, kernel…, outputs.
  Shape last{0}, order{0};
  llvm::append_range(last, llvm::seq<int64_t>(2, rank));
  llvm::append_range(order, llvm::seq<int64_t>(2, rank));
  last.push_back(1);
  order.push_back(1);
  x = n.transpose(x, last);
  w = n.transpose(w, order);
  Value y = overlapAdded(n, piecesOf(n, x, w, groups), window, extents);
  if (bias)
    y = n.binary<graph::AddOp>(y, n.cast(bias, n.element(y)));
  n.result(n.cast(channelsFirst(n, y), element));
}

/// Columns of patches back to images: what overlaps is added.
void col2Im(Node &n) {
  Value x = n.input(0);
  Shape image = n.steering(1, "the image's shape");
  Shape block = n.steering(2, "the block's shape");
  int64_t spatial = image.size();
  if (n.type(x).getRank() != 3 || block.size() != image.size() || !spatial)
    n.fail("expected columns of rank 3, and one extent an axis for image and "
           "block");
  Window window = attributesOf(n, spatial, block);
  Shape counts;
  for (int64_t i = 0; i < spatial; ++i) {
    if (image[i] < 1 || image[i] > INT32_MAX)
      n.fail("the image has the extent " + Twine(image[i]));
    int64_t reach = (block[i] - 1) * window.dilations[i] + 1;
    int64_t span = image[i] + window.pads[i] + window.pads[spatial + i] - reach;
    if (span < 0)
      n.fail("a block of " + Twine(block[i]) + " does not fit axis " +
             Twine(i) + " of extent " + Twine(image[i]));
    counts.push_back(span / window.strides[i] + 1);
  }
  int64_t elements = n.product(block, "the extents of the block");
  int64_t points = n.product(counts, "the numbers of blocks");
  if (n.shape(x)[1] % elements || n.shape(x)[2] != points)
    n.fail("expected " + Twine(points) + " columns of a multiple of " +
           Twine(elements) + " elements, found " + Twine(n.shape(x)[2]) +
           " of " + Twine(n.shape(x)[1]));
  // Images × channels in front, then points…, block….
  int64_t channels = n.shape(x)[1] / elements, batch = n.shape(x)[0];
  Shape apart{batch * channels}, perm{0};
  llvm::append_range(apart, block);
  llvm::append_range(apart, counts);
  for (int64_t i = 0; i < spatial; ++i)
    perm.push_back(1 + spatial + i);
  for (int64_t i = 0; i < spatial; ++i)
    perm.push_back(1 + i);
  Value pieces = n.transpose(n.reshape(x, apart), perm);
  Shape shape{batch, channels};
  llvm::append_range(shape, image);
  n.result(n.reshape(overlapAdded(n, pieces, window, image), shape));
}

} // namespace

void addTransposedConvolutions(HandlerTable &table) {
  table[".ConvTranspose"] = convTranspose;
  table[".Col2Im"] = col2Im;
}

} // namespace mho::import
