//===- KernelBody.h - checks a kernel's register program
//--------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNELBODY_H
#define MHO_RUNTIME_KERNELBODY_H

#include "mho/Program/Instructions.h"
#include "mho/Support/Status.h"

namespace mho::rt {

/// Registers defined before use, micro-ops known, with the right number and
/// types of operands, immediates in range, one yield of the right type per
/// write.
Status verifyKernelBody(const isa::Kernel &kernel);

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNELBODY_H
