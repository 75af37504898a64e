//===- Npz.h - NumPy's archives of arrays
//-----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_NPZ_H
#define MHO_RUNTIME_NPZ_H

#include "mho/Runtime/Tensor.h"
#include "mho/Support/Status.h"

#include <string>
#include <utility>
#include <vector>

namespace mho::rt {

/// Reads every array of an .npz file. Fails, naming file and array, where it is
/// no archive, is cut, or an array has a type that no tensor has (objects,
/// strings, complex numbers).
Expected<TensorMap> readNpz(const std::string &path);

/// Writes arrays, in order, to a temporary name beside `path`, then renames.
/// Types that NumPy lacks are written as f32 (floats) or as bytes.
Status
writeNpz(const std::string &path,
         const std::vector<std::pair<std::string, const Tensor *>> &arrays);

} // namespace mho::rt

#endif // MHO_RUNTIME_NPZ_H
