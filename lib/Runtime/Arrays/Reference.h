//===- Reference.h - the meaning of mvm, one number at a time --------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the blocked code must compute, written so that it can be checked by
// eye: double precision, no blocks, no packing, exact devices.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_REFERENCE_H
#define MHO_LIB_RUNTIME_ARRAYS_REFERENCE_H

#include "ProgrammedArray.h"
#include "mho/Program/Instructions.h"

#include <cstdint>
#include <span>
#include <vector>

namespace mho::rt::reference {

/// Element `row` of vector `number`: the access's definition, followed
/// literally.
float inputElement(const isa::Access &access, const float *base,
                   std::span<const int64_t> counts,
                   std::span<const int64_t> inner, int64_t number, int64_t row);

/// One result column of one vector, without noise; `quantised` as in DESIGN
/// §3.
double column(const ArraySpec &spec, bool quantised,
              std::span<const float> vector, int64_t column, bool addShift);

} // namespace mho::rt::reference

#endif // MHO_LIB_RUNTIME_ARRAYS_REFERENCE_H
