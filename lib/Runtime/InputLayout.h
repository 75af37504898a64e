//===- InputLayout.h - arrays of a file as samples of a program -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_INPUTLAYOUT_H
#define MHO_LIB_RUNTIME_INPUTLAYOUT_H

#include "mho/Program/program_generated.h"
#include "mho/Runtime/Tensor.h"
#include "mho/Support/Status.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mho::rt {

/// How each input array is cut into runs, and how outputs are put together: an
/// array has the exact shape, n times the leading axis, or one more leading
/// axis of n. A bounded dimension may be shorter; all that share its extent are
/// as short.
///
/// It reads the caller's arrays, which must outlive it.
class InputLayout {
public:
  using Outputs = std::vector<std::pair<std::string, Tensor>>;

  static Expected<InputLayout>
  match(const fb::Program &program, const fb::Entry &entry,
        const TensorMap &arrays,
        const std::vector<std::pair<std::string, std::string>> &states,
        std::vector<std::string> &notes);

  uint64_t runs() const { return count; }
  /// Whether an input or output may be shorter than its place.
  bool anyBounded() const;
  void allocateOutputs(uint32_t instances, bool instanceAxis,
                       Outputs &outputs) const;
  /// Where input `number` of run `run` lies as the program has it; null where
  /// it must be put together.
  const std::byte *wholeInput(size_t number, uint64_t run) const;
  /// Writes the inputs of run `run` into its io space, but for those that are
  /// read `elsewhere`; a state comes from the outputs of the run before.
  void fill(uint64_t run, const Outputs &outputs, uint32_t instance,
            const std::vector<const std::byte *> &elsewhere,
            std::byte *io) const;
  size_t numInputs() const { return inputs.size(); }
  /// `slots` are those of unit 0 when the run is over.
  void collect(uint64_t run, const std::byte *io,
               const std::vector<int64_t> &slots, uint32_t instance,
               Outputs &outputs) const;
  /// Remembers what extents a run gave its outputs.
  void noteShapes(const std::vector<int64_t> &slots);
  /// The extents of bounded inputs: slot of unit 0, value.
  std::vector<std::pair<uint32_t, int64_t>> extents() const {
    std::vector<std::pair<uint32_t, int64_t>> all;
    for (const auto &[slot, one] : known)
      all.emplace_back(slot, one.extent);
    return all;
  }
  /// Cuts bounded outputs to the largest extents that a run gave them; where
  /// runs differ, the shorter ones are followed by zeros, which a note says.
  void trim(Outputs &outputs, std::vector<std::string> &notes) const;

private:
  struct Input {
    const fb::Value *value;
    const Tensor *given;  ///< the caller's; null where `own` is used
    Tensor own;           ///< in the program's type
    bool repeated = true; ///< the same for every run
    int stateOutput = -1; ///< output that the next run's input comes from
    /// Of one run; less than the program's where a dimension is bounded.
    std::vector<int64_t> shape;

    const Tensor &tensor() const { return given ? *given : own; }
    /// The bytes of one run as they are given.
    const std::byte *data(uint64_t run) const;
  };

  /// The shape of output `number`, with bounded extents from slots.
  std::vector<int64_t> outputShape(size_t number,
                                   const std::vector<int64_t> &slots) const;
  bool fits(const fb::Value &value, const std::vector<int64_t> &given,
            size_t first) const;
  /// The same of all axes but the leading one.
  bool fitsBehindFirst(const fb::Value &value,
                       const std::vector<int64_t> &given) const;
  Status noteExtents(const Input &input);

  std::vector<Input> inputs;
  std::vector<const fb::Value *> outputValues;
  /// An extent, and which array gave it.
  struct Known {
    int64_t extent;
    std::string where;
  };
  std::map<uint32_t, Known> known; ///< by slot
  /// By output: the shapes that runs gave it, where it has bounded dimensions.
  std::map<size_t, std::set<std::vector<int64_t>>> shapes;
  uint64_t count = 1;
  bool extraAxis = false;
};

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_INPUTLAYOUT_H
