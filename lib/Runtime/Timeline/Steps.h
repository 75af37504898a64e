//===- Steps.h - an instruction as a stream of steps ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_TIMELINE_STEPS_H
#define MHO_LIB_RUNTIME_TIMELINE_STEPS_H

#include "mho/Program/Instructions.h"

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace mho::rt {

/// What a slot may hold.
struct SlotRange {
  int64_t low = 0, high = 0;
};

/// Bytes [begin, end) of a space.
struct ByteRange {
  int64_t begin = 0, end = 0;
};

/// An access of an instruction along dimensions of these extents.
struct Operand {
  const isa::Access *access = nullptr;
  std::vector<int64_t> extents;
  /// Whether the leading dimensions are the ones that steps cut. Where not,
  /// every step touches all of it.
  bool stepped = true;
  bool isWrite = false;
  /// A write that needs the old value too.
  bool isUpdate = false;
};

/// An instruction with extents resolved.
struct Stream {
  std::vector<int64_t> extents; ///< dimensions that steps may cut, in front
  std::vector<Operand> operands;
  double points = 0;     ///< iterations of the whole nest
  double operations = 0; ///< micro-ops per iteration
  double bytes = 0;      ///< of memory moved
};

/// How `extents` is cut: steps along dimension `dim`.
struct Cut {
  unsigned dim = 0;
  int64_t extent = 1;
  int64_t steps = 1;
  /// First index of step `step`; step `steps` gives the end.
  int64_t begin(int64_t step) const { return extent * step / steps; }
};
Cut cutSteps(std::span<const int64_t> extents, unsigned maxSteps);

/// The bytes an operand touches for indices [begin, end) of dimension `dim`
/// (all of it where `end` < 0); none where only fill values are read.
std::optional<ByteRange> touched(const Operand &operand, unsigned dim,
                                 int64_t begin, int64_t end,
                                 std::span<const SlotRange> slots);

/// Describes a digital instruction (kernel, contract, copy, sort, scatter,
/// compact, send, recv); `resolve` gives an extent's value.
template <typename Resolve>
Stream describe(const isa::Instruction &instruction, Resolve &&resolve);
/// As above for mvm, whose array has `columns` columns.
template <typename Resolve>
Stream describeMvm(const isa::Mvm &mvm, int64_t columns, Resolve &&resolve);

/// Bytes of the distinct elements that the operands of `stream` move.
double bytesMoved(const Stream &stream);
/// Micro-op cost of one iteration of a kernel's body.
double operationsOf(const isa::KernelBody &body);
double pointsOf(std::span<const int64_t> extents);

//===----------------------------------------------------------------------===//

namespace detail {
template <typename Resolve>
void append(std::vector<int64_t> &to, const std::vector<isa::Extent> &extents,
            Resolve &resolve) {
  for (const isa::Extent &extent : extents)
    to.push_back(resolve(extent));
}
Stream finish(Stream stream);
Stream describeKernel(const isa::Kernel &kernel, std::vector<int64_t> dims);
Stream describeScatter(const isa::Scatter &scatter, std::vector<int64_t> dims,
                       std::vector<int64_t> sizes);
Stream describeSort(const isa::Sort &sort, std::vector<int64_t> dims,
                    int64_t count);
Stream describeCompact(const isa::Compact &compact, std::vector<int64_t> dims);
Stream describeContract(const isa::Contract &contract,
                        std::vector<int64_t> dims, size_t inner);
} // namespace detail

template <typename Resolve>
Stream describe(const isa::Instruction &instruction, Resolve &&resolve) {
  std::vector<int64_t> dims;
  if (auto *op = std::get_if<isa::Kernel>(&instruction)) {
    detail::append(dims, op->dims, resolve);
    return detail::describeKernel(*op, std::move(dims));
  }
  if (auto *op = std::get_if<isa::Contract>(&instruction)) {
    for (auto *list : {&op->batch, &op->rows, &op->columns, &op->inner})
      detail::append(dims, *list, resolve);
    return detail::describeContract(*op, std::move(dims), op->inner.size());
  }
  if (auto *op = std::get_if<isa::Sort>(&instruction)) {
    detail::append(dims, op->dims, resolve);
    return detail::describeSort(*op, std::move(dims), resolve(op->count));
  }
  if (auto *op = std::get_if<isa::Scatter>(&instruction)) {
    detail::append(dims, op->dims, resolve);
    std::vector<int64_t> sizes;
    detail::append(sizes, op->sizes, resolve);
    return detail::describeScatter(*op, std::move(dims), std::move(sizes));
  }
  if (auto *op = std::get_if<isa::Compact>(&instruction)) {
    detail::append(dims, op->dims, resolve);
    return detail::describeCompact(*op, std::move(dims));
  }
  Stream stream;
  if (auto *op = std::get_if<isa::Copy>(&instruction)) {
    detail::append(stream.extents, op->dims, resolve);
    stream.operands.push_back({&op->from, stream.extents});
    stream.operands.push_back({&op->to, stream.extents, true, true});
  } else if (auto *op = std::get_if<isa::Send>(&instruction)) {
    detail::append(stream.extents, op->dims, resolve);
    stream.operands.push_back({&op->from, stream.extents});
  } else if (auto *op = std::get_if<isa::Recv>(&instruction)) {
    detail::append(stream.extents, op->dims, resolve);
    stream.operands.push_back({&op->to, stream.extents, true, true});
  }
  return detail::finish(std::move(stream));
}

template <typename Resolve>
Stream describeMvm(const isa::Mvm &mvm, int64_t columns, Resolve &&resolve) {
  Stream stream;
  detail::append(stream.extents, mvm.counts, resolve);
  Operand input{&mvm.input, stream.extents};
  detail::append(input.extents, mvm.inner, resolve);
  Operand output{&mvm.output, stream.extents, true, true, mvm.accumulate};
  output.extents.push_back(columns);
  stream.operands = {std::move(input), std::move(output)};
  return detail::finish(std::move(stream));
}

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_TIMELINE_STEPS_H
