//===- PreparedKernel.cpp - kernels run by their meaning ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mho;
using namespace mho::rt;

struct PreparedKernel::Plan {};

PreparedKernel::PreparedKernel() = default;
PreparedKernel::~PreparedKernel() = default;

std::unique_ptr<PreparedKernel>
PreparedKernel::prepare(const isa::Kernel &kernel) {
  std::unique_ptr<PreparedKernel> prepared(new PreparedKernel());
  prepared->kernel = &kernel;
  prepared->sequential = true;
  return prepared;
}

bool PreparedKernel::isSequential() const { return sequential; }

Status PreparedKernel::run(const KernelFrame &frame, ThreadPool *) const {
  return runReference(*kernel, frame);
}
