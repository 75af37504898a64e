//===- Planner.h - makes the plan of a kernel -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plan.cpp reads the kernel, ChooseTile.cpp chooses its tile, and Plan.cpp
// describes what follows from that.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_PLANNER_H
#define MHO_RUNTIME_KERNEL_PLANNER_H

#include "Plan.h"

#include <memory>
#include <span>
#include <vector>

namespace mho::rt {

class Planner {
public:
  Planner(const isa::Kernel &kernel, std::span<const int64_t> extents)
      : kernel(kernel), extents(extents), reads(kernel.reads.size()),
        writes(kernel.writes.size()),
        plan(std::make_unique<PreparedKernel::Plan>()) {}
  std::unique_ptr<PreparedKernel::Plan> make();

private:
  bool reduces(size_t w) const {
    return kernel.writes[w].kind != isa::WriteKind::Store;
  }
  const isa::Access &access(size_t operand) const {
    return operand < reads ? kernel.reads[operand]
                           : kernel.writes[operand - reads].access;
  }
  bool classify();
  void collectDims();
  bool mayMerge(const PlanDim &outer, const PlanDim &inner) const;
  std::vector<PlanDim> merge(const std::vector<PlanDim> &dims) const;
  double score(const PlanDim &dim, bool numbers) const;
  int64_t rowsOfTile() const;
  bool hasPlaces() const;
  bool isTabled(size_t read, const PlanDim &dim) const;
  bool continuesColumn(const PlanDim &dim) const;
  void extendColumn();
  void chooseTile();
  double rowScore(const PlanDim &dim) const;
  void assignRegisters();
  void describeWalks();
  void describeInPlace();
  void describeHoisting();
  void describeAccumulators();
  bool varies(size_t read, const PlanDim &dim) const;

  const isa::Kernel &kernel;
  std::span<const int64_t> extents;
  size_t reads, writes;
  std::unique_ptr<PreparedKernel::Plan> plan;
  std::vector<bool> reducedDims;
  int numbering = -1;
  bool ordered = false, carries = false, anyReduction = false;
  std::vector<PlanDim> parallel, inner;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_PLANNER_H
