//===- BufferizableOpInterfaceImpl.h - digital ops on buffers ---*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_DIGITAL_BUFFERIZE_BUFFERIZABLEOPINTERFACEIMPL_H
#define MHO_DIALECT_DIGITAL_BUFFERIZE_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mho::digital {

/// Teaches one-shot bufferization digital.sort and digital.scatter.
void registerBufferizableOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

} // namespace mho::digital

#endif // MHO_DIALECT_DIGITAL_BUFFERIZE_BUFFERIZABLEOPINTERFACEIMPL_H
