//===- BufferizableOpInterfaceImpl.h - analog ops on buffers ----*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_ANALOG_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
#define MHO_DIALECT_ANALOG_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mho::analog {

/// Teaches one-shot bufferization analog.mvm, analog.send and analog.recv.
void registerBufferizableOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

} // namespace mho::analog

#endif // MHO_DIALECT_ANALOG_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
