//===- InPlaceInputs.h - inputs that need not be copied
//---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An input is read where the caller holds it if every access that touches its
// bytes of the io space is a read of these bytes alone. Programs from files may
// do anything within the io space, so each access is looked at.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_INPLACEINPUTS_H
#define MHO_RUNTIME_INPLACEINPUTS_H

#include "Undefined.h"

#include <unordered_map>

namespace mho::rt {

class InPlaceInputs {
public:
  InPlaceInputs() = default;
  /// Where the entry's inputs and outputs lie in the io space. `list` is the
  /// stream of unit 0, which alone has one; it must outlive this.
  InPlaceInputs(const std::vector<ByteRange> &inputs,
                const std::vector<ByteRange> &outputs,
                std::span<const isa::Instruction> list,
                const StreamContext &context);

  /// Whether the entry's input `number` may be read elsewhere.
  bool may(size_t number) const {
    return number < inputs.size() && inputs[number].inPlace;
  }
  /// The number of the input that `access` reads, if it may be elsewhere; else
  /// -1.
  int numberOf(const isa::Access &access) const {
    auto found = numbers.find(&access);
    return found == numbers.end() ? -1 : int(found->second);
  }
  /// Where the input begins in the io space.
  int64_t offsetOf(size_t number) const { return inputs[number].bytes.begin; }
  /// `copy` is another object of the same meaning.
  void noteCopy(const isa::Access &access, const isa::Access &copy) {
    if (auto found = numbers.find(&access); found != numbers.end())
      numbers.emplace(&copy, found->second);
  }

private:
  class Walk;
  struct Input {
    ByteRange bytes;
    bool inPlace = true;
  };
  std::vector<Input> inputs;
  std::unordered_map<const isa::Access *, size_t> numbers;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_INPLACEINPUTS_H
