# Included by onnx.sh at ONNX's project(): half of compiling its library is
# reading the same headers, so its sources share them precompiled.
#
# Part of mho, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
cmake_language(DEFER CALL target_precompile_headers onnx PRIVATE
  <algorithm> <functional> <map> <memory> <numeric> <string> <unordered_map> <unordered_set> <vector>
  "onnx/defs/schema.h" "onnx/defs/shape_inference.h" "onnx/defs/function.h"
  "onnx/defs/tensor_proto_util.h" "onnx/common/ir.h")
