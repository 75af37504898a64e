//===- Arrays.h - arrays between Python and the runtime -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NumPy has no name for half of ONNX's types, so arrays cross as {the ISA's
// name of the type, shape, bytes}; mho/_arrays.py makes NumPy arrays of them.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_PYTHON_ARRAYS_H
#define MHO_PYTHON_ARRAYS_H

#include "mho/Runtime/Tensor.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace mho::python {

namespace nb = nanobind;

using BytesIn =
    nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using BytesOut = nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>>;
using ArrayIn = std::tuple<std::string, std::vector<int64_t>, BytesIn>;
using ArrayOut = std::tuple<std::string, std::vector<int64_t>, BytesOut>;
using ArraysIn = std::map<std::string, ArrayIn>;

/// Copies arrays; throws ValueError where a type or size is none of ours.
rt::TensorMap toTensors(const ArraysIn &arrays);
/// Hands a tensor's memory over to Python.
ArrayOut toPython(rt::Tensor &&tensor);

} // namespace mho::python

#endif // MHO_PYTHON_ARRAYS_H
