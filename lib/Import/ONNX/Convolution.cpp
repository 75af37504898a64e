//===- Convolution.cpp - convolution and batch normalization --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "Window.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mho::import {

namespace {

Value convolved(Node &n, Value x, Value w, Value bias, int64_t groups,
                Window window) {
  x = withOwnBorder(n, x, window, Value(), /*all=*/true);
  auto type =
      n.typeOf(resultShape(n, n.shape(x), window, n.shape(w)[0]), n.element(x));
  return n.make<graph::ConvOp>(type, x, w, bias,
                               n.b.getDenseI64ArrayAttr(window.kernel),
                               n.b.getDenseI64ArrayAttr(window.strides),
                               n.b.getDenseI64ArrayAttr(window.pads),
                               n.b.getDenseI64ArrayAttr(window.dilations),
                               n.b.getI64IntegerAttr(groups), UnitAttr());
}

/// More loop dims than an instruction has: where an array holds the weights
/// three spatial axes go, else two where channels are in groups or images in
/// batches.
bool hasTooManyAxes(Node &n, Value x, Value w, int64_t groups) {
  int64_t spatial = n.type(x).getRank() - 2;
  bool stationary =
      matchPattern(w, m_Constant()) && (groups == 1 || n.shape(w)[1] > 1);
  if (spatial < 3 || stationary)
    return spatial > 3;
  return spatial > 3 || groups > 1 || n.shape(x)[0] != 1;
}

/// The sum over the first spatial axis of the kernel: for each of its elements
/// a convolution over the other axes, where the first one counts as a batch.
Value convolvedBySlices(Node &n, Value x, Value w, int64_t groups,
                        const Window &window) {
  int64_t rank = n.type(x).getRank(), spatial = rank - 2;
  n.expectParts(n.product(ArrayRef<int64_t>(window.kernel).drop_back(2),
                          "the extents of the kernel"),
                "places along the first axes of a kernel");
  int64_t positions = resultShape(n, n.shape(x), window, 1)[2];
  Shape first(2 * spatial, 0);
  first[0] = window.pads[0];
  first[spatial] = window.pads[spatial];
  x = bordered(n, x, first, Value());
  Shape padded(n.shape(x));
  Window rest;
  if (!window.positions.empty())
    rest.positions.assign(window.positions.begin() + 1, window.positions.end());
  for (int64_t i = 1; i < spatial; ++i) {
    rest.kernel.push_back(window.kernel[i]);
    rest.strides.push_back(window.strides[i]);
    rest.dilations.push_back(window.dilations[i]);
    rest.pads.push_back(window.pads[i]);
  }
  for (int64_t i = 1; i < spatial; ++i)
    rest.pads.push_back(window.pads[spatial + i]);
  Shape taken(padded), steps(rank, 1);
  taken[2] = positions;
  steps[2] = window.strides[0];
  Shape forward{0, 2, 1}, back{0, 2, 1};
  for (int64_t axis = 3; axis < rank; ++axis) {
    forward.push_back(axis);
    back.push_back(axis);
  }
  Value sum;
  for (int64_t k = 0; k < window.kernel[0]; ++k) {
    Shape starts(rank, 0);
    starts[2] = k * window.dilations[0];
    Value part = n.sliced(x, starts, steps, taken);
    part = n.transpose(part, forward);
    Shape batch{n.extents->product(padded[0], positions)};
    llvm::append_range(batch, n.shape(part).drop_front(2));
    part = n.reshape(part, batch);
    Shape kernel(n.shape(w));
    kernel.erase(kernel.begin() + 2);
    Value weights = n.reshape(sliced(n, w, 2, k, k + 1), kernel);
    part = hasTooManyAxes(n, part, weights, groups)
               ? convolvedBySlices(n, part, weights, groups, rest)
               : convolved(n, part, weights, Value(), groups, rest);
    sum = sum ? n.binary<graph::AddOp>(sum, part) : part;
  }
  Shape apart{padded[0], positions};
  llvm::append_range(apart, n.shape(sum).drop_front());
  return n.transpose(n.reshape(sum, apart), back);
}

} // namespace

void convolution(Node &n) {
  Value x = n.input(0), w = n.input(1), bias = n.optional(2);
  n.checkSameElement(x, w);
  ArrayRef<int64_t> image = n.shape(x), weights = n.shape(w);
  if (image.size() != weights.size() || image.size() < 3)
    n.fail("image and weights need one rank of 3 or more, found " +
           Twine(image.size()) + " and " + Twine(weights.size()));
  int64_t groups = n.integer("group", 1);
  if (groups < 1 || image[1] % groups || weights[1] != image[1] / groups ||
      weights[0] % groups)
    n.fail("weights for " + Twine(weights[1]) + " channels in " +
           Twine(groups) + " groups do not fit " + Twine(image[1]) +
           " input and " + Twine(weights[0]) + " output channels");
  if (bias) {
    n.checkSameElement(x, bias);
    if (n.shape(bias) != ArrayRef<int64_t>(weights[0]))
      n.fail("expected a bias of " + Twine(weights[0]) + " values");
  }
  Window window = windowOf(n, image, weights.drop_front(2));
  if (!hasTooManyAxes(n, x, w, groups))
    return n.result(convolved(n, x, w, bias, groups, window));
  resultShape(n, image, window, weights[0]); // checks that the window fits
  Value y = convolvedBySlices(n, x, w, groups, window);
  if (bias) {
    Shape column(image.size() - 1, 1);
    column[0] = weights[0];
    y = n.binary<graph::AddOp>(y, n.reshape(bias, column));
  }
  n.result(y);
}

void addConvolutions(HandlerTable &table) { table[".Conv"] = convolution; }

} // namespace mho::import
