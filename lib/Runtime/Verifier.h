//===- Verifier.h - meaning of a decoded program
//----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_VERIFIER_H
#define MHO_RUNTIME_VERIFIER_H

#include "mho/Runtime/LoadedProgram.h"

#include <string>

namespace mho::rt {

/// Checks everything that the machine relies on: a program that passes cannot
/// crash it or reach outside its spaces. Messages name unit, program,
/// instruction and ONNX node.
Status verifyProgram(const LoadedProgram &program);

/// Checks what every instruction of one unit in one entry point touches.
Status verifyStream(const LoadedProgram &program, const fb::Entry &entry,
                    uint32_t unit);

/// "unit 2 (core 1), program 'main', instruction 7 (kernel) of node 'Relu_3'".
std::string describeInstruction(const LoadedProgram &program, uint32_t unit,
                                uint32_t code, size_t instruction);

} // namespace mho::rt

#endif // MHO_RUNTIME_VERIFIER_H
