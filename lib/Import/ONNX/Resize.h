//===- Resize.h - how images are resized ------------------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_RESIZE_H
#define MHO_LIB_IMPORT_ONNX_RESIZE_H

#include "Node.h"

#include <string>

namespace mho::import {

/// What applies to all axes.
struct Method {
  std::string mode, coordinates, nearest;
  double cubic = -0.75;
  bool antialias = false, excludeOutside = false;
};

/// One axis to resize; `begin` and `end` are the crop's ends where there is
/// one. The extents may be symbols, and the scale is then 0 where it is their
/// ratio in the run.
struct Axis {
  int64_t from = 0, to = 0;
  double scale = 1, begin = 0, end = 1;

  bool isOpen() const { return isSymbol(from) || isSymbol(to); }
};

/// `x` resized along an axis whose extents the run gives.
mlir::Value resizedInRun(Node &n, mlir::Value x, int64_t number,
                         const Axis &axis, const Method &method);

/// Which elements along such an axis lie in the image that is cropped:
/// booleans.
mlir::Value insideInRun(Node &n, const Axis &axis, const Method &method);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_RESIZE_H
