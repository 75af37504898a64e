//===- Window.h - windows that slide over an image --------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_WINDOW_H
#define MHO_LIB_IMPORT_ONNX_WINDOW_H

#include "Node.h"

namespace mho::import {

/// The window's attributes with auto_pad resolved.
struct Window {
  /// Pads may be symbols, where auto_pad follows from an extent of the run.
  Shape kernel, strides, pads, dilations;
  bool ceil = false;
  /// How many windows there are along each axis with auto_pad SAME; else empty.
  Shape positions;
};

/// The attributes as the node has them, their lengths and ranges checked; pads
/// are those of auto_pad NOTSET. `kernel` is the weights' or empty.
Window attributesOf(Node &n, int64_t spatial, llvm::ArrayRef<int64_t> kernel);

/// The window over an N, C, spatial… image.
Window windowOf(Node &n, llvm::ArrayRef<int64_t> image,
                llvm::ArrayRef<int64_t> kernel);

/// An N, C, spatial… image within a border: the begins of all spatial axes,
/// then the ends, which may be symbols. `fill` is a scalar, or null for zero.
mlir::Value bordered(Node &n, mlir::Value x, llvm::ArrayRef<int64_t> pads,
                     mlir::Value fill);

/// The image with the pads that only the run knows as its own border; the
/// window loses them. With `all`, so it does all pads along axes whose extent
/// the run gives.
mlir::Value withOwnBorder(Node &n, mlir::Value x, Window &window,
                          mlir::Value fill, bool all);

/// Begin and end of a padding of `total`: the larger half is behind with
/// SAME_UPPER, else in front.
std::pair<int64_t, int64_t> distributed(int64_t total,
                                        llvm::StringRef automatic);

/// N, `channels`, positions….
Shape resultShape(Node &n, llvm::ArrayRef<int64_t> image, const Window &window,
                  int64_t channels);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_WINDOW_H
