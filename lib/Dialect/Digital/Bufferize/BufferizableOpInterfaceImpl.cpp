//===- BufferizableOpInterfaceImpl.cpp - digital ops on buffers -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Digital/Bufferize/BufferizableOpInterfaceImpl.h"

#include "mho/Dialect/Digital/IR/DigitalOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mho::digital;

namespace {

/// `Overwrites`: whether nothing of the destinations' old contents counts.
template <typename OpTy, bool Overwrites>
struct Model
    : DstBufferizableOpInterfaceExternalModel<Model<OpTy, Overwrites>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !Overwrites ||
           !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  /// The op again, on the buffers of its operands; of its results only scalars
  /// stay.
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto destinations = cast<DestinationStyleOpInterface>(op);
    SmallVector<Value> buffers, results;
    for (OpOperand &operand : op->getOpOperands()) {
      FailureOr<Value> buffer =
          getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
      if (destinations.isDpsInit(&operand))
        results.push_back(*buffer);
    }
    rewriter.setInsertionPoint(op);
    OperationState again(op->getLoc(), op->getName());
    again.addOperands(buffers);
    again.addAttributes(op->getAttrs());
    for (Type type : op->getResultTypes())
      if (!isa<TensorType>(type))
        again.addTypes(type);
    llvm::append_range(results, rewriter.create(again)->getResults());
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};

} // namespace

void mho::digital::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, DigitalDialect *) {
    SortOp::attachInterface<Model<SortOp, true>>(*context);
    ScatterOp::attachInterface<Model<ScatterOp, false>>(*context);
    // What is left of the places' old contents is never looked at.
    CompactOp::attachInterface<Model<CompactOp, true>>(*context);
  });
}
