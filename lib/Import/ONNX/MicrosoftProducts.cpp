//===- MicrosoftProducts.cpp - com.microsoft's fused products -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "Microsoft.h"

using namespace mlir;

namespace mho::import {

namespace {

/// The version of ONNX's operators whose attributes the fused forms keep.
constexpr int64_t kOnnxOpset = 22;

/// A factor of FusedMatMul: `transBatch` moves its first axis behind the other
/// batch axes, `trans` swaps its last two.
Value factor(Node &n, Value x, bool trans, bool transBatch) {
  int64_t rank = n.type(x).getRank();
  Shape perm = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  // ONNX Runtime leaves vectors as they are.
  if (rank < 2)
    return x;
  if (transBatch && rank > 2)
    std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
  if (trans)
    std::swap(perm[rank - 2], perm[rank - 1]);
  return n.transpose(x, perm);
}

Value fusedProduct(Node &n) {
  Value a = factor(n, n.input(0), n.integer("transA", 0),
                   n.integer("transBatchA", 0));
  Value c = factor(n, n.input(1), n.integer("transB", 0),
                   n.integer("transBatchB", 0));
  return times(n, product(n, a, c), n.real("alpha", 1));
}

void fusedMatMul(Node &n) { n.result(fusedProduct(n)); }

/// alpha, beta and gamma under `prefix`, up to the first that is missing.
SmallVector<float> parameters(Node &n, StringRef prefix) {
  SmallVector<float> values;
  for (StringRef name : {"alpha", "beta", "gamma"}) {
    if (!n.has((prefix + name).str()))
      break;
    values.push_back(n.real((prefix + name).str(), 0));
  }
  return values;
}

void fusedMatMulActivation(Node &n) {
  std::string name = n.string("activation", "");
  Value y = fusedProduct(n);
  if (name == "Softmax") {
    int64_t rank = n.type(y).getRank();
    int64_t axis = n.axis(n.integer("activation_axis", -1), rank);
    return n.result(n.make<graph::SoftmaxOp>(y.getType(), y,
                                             n.b.getDenseI64ArrayAttr({axis})));
  }
  n.result(activated(n, y, name, parameters(n, "activation_")));
}

void fusedGemm(Node &n) {
  Value y = delegated(n, gemm, n.inputs, kOnnxOpset);
  n.result(activated(n, y, n.string("activation", ""),
                     parameters(n, "activation_")));
}

void gemmFastGelu(Node &n) {
  Value y = product(n, n.input(0), n.input(1));
  if (Value bias = n.optional(2))
    y = added(n, y, bias);
  n.result(tanhGelu(n, y));
}

/// activation(conv(x, w) + bias + z).
void fusedConvolution(Node &n) {
  Value y = delegated(n, convolution, {n.input(0), n.input(1), n.optional(2)},
                      kOnnxOpset);
  if (Value z = n.optional(3))
    y = added(n, y, z);
  SmallVector<float> values;
  if (auto *given = n.attribute("activation_params"))
    values.assign(given->floats().begin(), given->floats().end());
  n.result(activated(n, y, n.string("activation", ""), values));
}

/// Axes N, spatial…, C of an image as N, C, spatial…, and back.
Value channelsFirst(Node &n, Value x) {
  int64_t rank = n.type(x).getRank();
  if (rank < 3)
    n.fail("expected an image of rank 3 or more, found rank " + Twine(rank));
  Shape perm{0, rank - 1};
  llvm::append_range(perm, llvm::seq<int64_t>(1, rank - 1));
  return n.transpose(x, perm);
}

Value channelsLast(Node &n, Value x) {
  int64_t rank = n.type(x).getRank();
  Shape perm{0};
  llvm::append_range(perm, llvm::seq<int64_t>(2, rank));
  perm.push_back(1);
  return n.transpose(x, perm);
}

/// Images are N, spatial…, C; so are the weights, with the output channel
/// first.
void channelsLastConvolution(Node &n) {
  Value x = channelsFirst(n, n.input(0));
  Value w = channelsFirst(n, n.input(1));
  Value y = delegated(n, convolution, {x, w, n.optional(2)}, kOnnxOpset);
  y = channelsLast(n, y);
  if (Value z = n.optional(3))
    y = added(n, y, z);
  SmallVector<float> values;
  if (auto *given = n.attribute("activation_params"))
    values.assign(given->floats().begin(), given->floats().end());
  n.result(activated(n, y, n.string("activation", ""), values));
}

} // namespace

void addMicrosoftProducts(HandlerTable &table) {
  table["com.microsoft.FusedMatMul"] = fusedMatMul;
  table["com.microsoft.TransposeMatMul"] = fusedMatMul;
  table["com.microsoft.FusedMatMulActivation"] = fusedMatMulActivation;
  table["com.microsoft.FusedGemm"] = fusedGemm;
  table["com.microsoft.GemmFastGelu"] = gemmFastGelu;
  table["com.microsoft.FusedConv"] = fusedConvolution;
  table["com.microsoft.NhwcConv"] = channelsLastConvolution;
  table["com.microsoft.NhwcFusedConv"] = channelsLastConvolution;
}

} // namespace mho::import
