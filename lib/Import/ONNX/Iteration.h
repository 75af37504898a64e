//===- Iteration.h - steps that carry values to the next ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loop, Scan and the recurrences are one thing: a step that takes the state of
// the one before and its own slices of some tensors, and gives the next state
// and slices of results. Few steps are written one after the other, more as a
// loop of scf around one step.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_ITERATION_H
#define MHO_LIB_IMPORT_ONNX_ITERATION_H

#include "Extents.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>

namespace mho::import {

/// So many steps become no loop.
inline constexpr int64_t kStraightSteps = 2;

/// A tensor of which each step sees one position of an axis, without the axis.
struct Sliced {
  mlir::Value tensor;
  int64_t axis = 0;
  bool backwards = false;
};

/// How what the steps give is joined: along a new axis of the result (negative
/// from the end).
struct Joined {
  int64_t axis = 0;
  bool backwards = false;
};

struct Step {
  /// Counts from 0; a constant where the step is written out.
  mlir::OpFoldResult number;
  llvm::SmallVector<mlir::Value> state, slices;
};

struct StepResult {
  llvm::SmallVector<mlir::Value> state, slices;
};

/// Builds one step at the builder's place.
using StepFn = llvm::function_ref<StepResult(const Step &)>;

/// `tensor` at `position` of `axis`, without the axis.
mlir::Value sliceAt(mlir::OpBuilder &b, mlir::Location loc,
                    const Extents &extents, mlir::Value tensor, int64_t axis,
                    mlir::OpFoldResult position);

/// Whether every node in `region` has a meaning and every value a rank.
bool isSupported(mlir::Region &region, llvm::ArrayRef<mlir::Value> values);

/// Moves the ops of a region of one block to the builder's place.
void splice(mlir::OpBuilder &b, mlir::Region &region);

/// Steps that are written one after the other, apart from any op until they
/// are finished.
class StepSequence {
public:
  StepSequence(mlir::OpBuilder &b, mlir::Location loc, Extents &extents,
               llvm::ArrayRef<mlir::Value> initial,
               llvm::ArrayRef<Joined> joined);
  /// Scalars of steps that are given up go with them.
  ~StepSequence() { extents.forget(region); }

  /// Adds one of `steps` steps. Throws what `step` throws.
  void add(llvm::ArrayRef<Sliced> sliced, int64_t steps, StepFn step);
  int64_t size() const { return count; }
  const StepResult &last() const { return results; }
  bool supported();
  /// Puts the ops at the builder's place: states, then joined slices.
  llvm::SmallVector<mlir::Value> finish();
  /// Puts the ops there only to have the unsupported ones listed.
  void leaveForListing() { splice(b, region); }

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
  Extents &extents;
  llvm::ArrayRef<Joined> joined;
  mlir::Region region;
  StepResult results;
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> parts;
  int64_t count = 0;
};

/// By how much each step makes the extents of each state larger: numbers or
/// symbols, negative ones too.
using Growth = llvm::SmallVector<llvm::SmallVector<int64_t>>;

/// One step of a loop while it is built, apart from any op.
class LoopBody {
public:
  /// Throws what `step` throws.
  LoopBody(mlir::OpBuilder &b, mlir::Location loc, Extents &extents,
           llvm::ArrayRef<mlir::Value> initial, llvm::ArrayRef<Sliced> sliced,
           int64_t steps, StepFn step);
  /// The same with the step's number as a symbol, below `most`: what follows
  /// from it may be an extent, and those of the states are what they were plus
  /// the number times their growth. `growth` is empty where none grows.
  LoopBody(mlir::OpBuilder &b, mlir::Location loc, Extents &extents,
           llvm::ArrayRef<mlir::Value> initial, llvm::ArrayRef<Sliced> sliced,
           int64_t steps, StepFn step, int64_t most, Growth growth);
  ~LoopBody() { extents.forget(region); }

  const StepResult &result() const { return results; }
  bool supported();
  /// Whether an extent follows from scalars of the step itself.
  bool decides(int64_t extent) { return extents.belongsTo(extent, region); }
  /// The first state that comes out with another type than it went in, or than
  /// its growth says.
  std::optional<size_t> changedState();
  /// How the states grow, as seen at this step; nothing where ranks or elements
  /// change or the step itself decides it.
  std::optional<Growth> growthSeen();
  bool grows() const { return !growth.empty(); }

  /// A loop of so many steps, or as many as a symbol says: states, then joined
  /// slices.
  llvm::SmallVector<mlir::Value> finish(int64_t steps,
                                        llvm::ArrayRef<Joined> joined);
  /// A loop of `steps` (an index) steps, at most `bound` if given: the states.
  llvm::SmallVector<mlir::Value> finish(mlir::Value steps,
                                        std::optional<int64_t> bound);
  /// A loop that goes on while `condition` (a tensor of one bool, made by the
  /// step) holds, and for `steps` steps if given; at most `bound` if given.
  /// `first` (i1) tells whether it begins at all.
  /// States, then joined slices, as many as steps were made, where `bound` is
  /// given; `name` is what messages call that number.
  llvm::SmallVector<mlir::Value>
  finishWhile(mlir::Value first, mlir::Value condition, mlir::Value steps,
              std::optional<int64_t> bound, llvm::ArrayRef<Joined> joined = {},
              llvm::StringRef name = {});
  /// Leaves the step's ops as if it ran once, so that the unsupported ones
  /// among them are listed.
  void leaveForListing();

private:
  /// Has every step put its slices into rooms for `most` of them, which the
  /// loop carries behind its states: their first values, and what a step hands
  /// on. `steps` as for `finish`.
  struct Collected {
    llvm::SmallVector<mlir::Value> before, after;
  };
  Collected collect(int64_t steps, int64_t most, llvm::ArrayRef<Joined> joined);
  /// Adds empty rooms, one for each that `collect` made.
  void addRooms(llvm::SmallVectorImpl<mlir::Value> &before);
  /// Adds what the loop has collected in `rooms`, cut to as many as `steps`.
  void cutSlices(llvm::SmallVectorImpl<mlir::Value> &all,
                 mlir::ValueRange rooms, int64_t steps,
                 llvm::ArrayRef<Joined> joined);
  /// State `i` of the step's end in the room that the loop carries.
  mlir::Value carried(size_t i);
  /// The loop's results as what the last of `count` steps would give.
  llvm::SmallVector<mlir::Value> cutStates(mlir::ValueRange rooms,
                                           int64_t count);
  /// The type of state `i` after `count` steps.
  mlir::RankedTensorType stateType(size_t i, int64_t count);
  /// State `i` at first, in room for what it becomes.
  mlir::Value initialRoom(size_t i);
  mlir::RankedTensorType stateRoom(size_t i);

  mlir::OpBuilder &b;
  mlir::Location loc;
  Extents &extents;
  llvm::SmallVector<mlir::Value> initial;
  Growth growth;
  /// The step's number as a symbol, where the states grow.
  int64_t number = 0;
  mlir::Region region;
  mlir::Block *block;
  StepResult results;
};

/// `steps` steps one after the other, or a loop: states, then joined slices.
/// `steps` may be a symbol. Throws Unsupported where a step holds an
/// unsupported node.
llvm::SmallVector<mlir::Value>
iterate(mlir::OpBuilder &b, mlir::Location loc, Extents &extents, int64_t steps,
        llvm::ArrayRef<mlir::Value> initial, llvm::ArrayRef<Sliced> sliced,
        llvm::ArrayRef<Joined> joined, StepFn step);

/// The element of a tensor that has only one.
mlir::Value scalarOf(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::Value tensor);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_ITERATION_H
