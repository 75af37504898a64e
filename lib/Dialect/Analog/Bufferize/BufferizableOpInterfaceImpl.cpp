//===- BufferizableOpInterfaceImpl.cpp - analog ops on buffers ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Analog/Transforms/BufferizableOpInterfaceImpl.h"

#include "mho/Dialect/Analog/IR/AnalogOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mho::analog;

namespace {

/// The op again, on the buffers of its operands and without results.
template <typename OpTy>
LogicalResult rebuildOnBuffers(OpTy op, RewriterBase &rewriter,
                               const BufferizationOptions &options,
                               BufferizationState &state) {
  SmallVector<Value> buffers;
  Value destination;
  for (OpOperand &operand : op->getOpOperands()) {
    FailureOr<Value> buffer =
        getBuffer(rewriter, operand.get(), options, state);
    if (failed(buffer))
      return failure();
    buffers.push_back(*buffer);
    destination = *buffer;
  }
  rewriter.setInsertionPoint(op);
  OperationState again(op.getLoc(), op->getName());
  again.addOperands(buffers);
  again.addAttributes(op->getAttrs());
  rewriter.create(again);
  if (op->getNumResults() == 0)
    rewriter.eraseOp(op);
  else
    replaceOpWithBufferizedValues(rewriter, op, destination);
  return success();
}

struct MvmModel : DstBufferizableOpInterfaceExternalModel<MvmModel, MvmOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    auto mvm = cast<MvmOp>(op);
    return mvm.getAccumulate() || !mvm.isDpsInit(&operand);
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    return rebuildOnBuffers(cast<MvmOp>(op), rewriter, options, state);
  }
};

struct RecvModel : DstBufferizableOpInterfaceExternalModel<RecvModel, RecvOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return false; // the whole destination is overwritten
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    return rebuildOnBuffers(cast<RecvOp>(op), rewriter, options, state);
  }
};

struct SendModel : BufferizableOpInterface::ExternalModel<SendModel, SendOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return true;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *, OpOperand &,
                                      const AnalysisState &) const {
    return {};
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    return rebuildOnBuffers(cast<SendOp>(op), rewriter, options, state);
  }
};

} // namespace

void mho::analog::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, AnalogDialect *) {
    MvmOp::attachInterface<MvmModel>(*context);
    RecvOp::attachInterface<RecvModel>(*context);
    SendOp::attachInterface<SendModel>(*context);
  });
}
