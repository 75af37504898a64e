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

#include <string>
#include <utility>
#include <vector>

namespace mho::rt {

/// How each input array is cut into runs, and how outputs are put together: an
/// array has the exact shape, n times the leading axis, or one more leading
/// axis of n.
class InputLayout {
public:
  using Outputs = std::vector<std::pair<std::string, Tensor>>;

  static Expected<InputLayout>
  match(const fb::Program &program, const fb::Entry &entry,
        const TensorMap &arrays,
        const std::vector<std::pair<std::string, std::string>> &states,
        std::vector<std::string> &notes);

  uint64_t runs() const { return count; }
  void allocateOutputs(uint32_t instances, bool instanceAxis,
                       Outputs &outputs) const;
  /// Writes the inputs of run `run` into its io space; a state comes from the
  /// outputs of the run before.
  void fill(uint64_t run, const Outputs &outputs, uint32_t instance,
            std::byte *io) const;
  void collect(uint64_t run, const std::byte *io, uint32_t instance,
               Outputs &outputs) const;

private:
  struct Input {
    const fb::Value *value;
    Tensor tensor;        ///< in the program's type
    bool repeated = true; ///< the same for every run
    int stateOutput = -1; ///< output that the next run's input comes from
  };

  std::vector<Input> inputs;
  std::vector<const fb::Value *> outputValues;
  uint64_t count = 1;
  bool extraAxis = false;
};

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_INPUTLAYOUT_H
