//===- TileRunner.h - one thread's share of a kernel
//------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_TILERUNNER_H
#define MHO_RUNTIME_KERNEL_TILERUNNER_H

#include "Plan.h"

#include <array>
#include <cstdlib>

namespace mho::rt {

/// Which reads and writes share memory, point by point.
struct Aliases {
  std::vector<uint8_t> reads, writes;
};

/// What a runner needs while it runs. A thread keeps it from kernel to kernel:
/// small kernels would spend more time on the heap than on values.
struct TileMemory {
  /// Where a register's lanes are now.
  struct Value {
    const void *data = nullptr;
    bool scalar = false;
  };
  /// What a read's block holds, so that it is not loaded twice.
  struct Held {
    const std::byte *address = nullptr;
    int64_t rows = 0, columns = 0;
  };
  struct Free {
    void operator()(std::byte *bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> scratch;
  size_t scratchBytes = 0;
  std::vector<Value> values;
  std::vector<Held> held;
  std::vector<uint8_t> stored;    ///< writes whose op has written them directly
  std::vector<int64_t> at;        ///< byte offset per read and write
  std::vector<int64_t> positions; ///< of every valid range
  std::vector<int64_t> outerCounts, innerCounts;
  /// Of tiles in place: their ops, and the operands that move.
  struct Moving {
    uint32_t call;
    int operand; ///< -1: the result
    uint32_t access;
  };
  struct InPlaceCall {
    blocks::Call call;
    const isa::MicroOp *op;
    bool scalar;
  };
  /// A table load whose indices are hoisted where they may be.
  struct Load {
    size_t first = 0;    ///< of its places along the column
    bool column = false; ///< some index depends on the column alone
    bool varies = false; ///< some index is a vector of the tile
    /// So many elements along the column lie side by side, again and again;
    /// the column's extent: all do. 0: too few to be worth it.
    int64_t run = 0;
    bool plain = false; ///< lanes as in memory, no known index out of range
  };
  std::vector<std::byte> tables;
  std::vector<const std::byte *> hoisted; ///< per register
  /// A hoisted value that moves on with a loop.
  struct Step {
    uint32_t number, loop;
    int64_t bytes;
  };
  std::vector<Step> steps;
  std::vector<Load> loads; ///< per load, in their order
  std::vector<int64_t> columnPlaces;
  std::vector<InPlaceCall> calls;
  std::vector<Moving> moving;
};

class TileRunner : TileMemory {
public:
  TileRunner(const isa::Kernel &kernel, const PreparedKernel::Plan &plan,
             const KernelFrame &frame, const blocks::Table &table,
             const Aliases &aliases);
  ~TileRunner();
  /// Runs tiles [begin, end) of the outer loops.
  Status run(size_t begin, size_t end);

private:
  void moveTo(size_t tile);
  void step(const PlanDim &dim, int64_t times);
  bool advance(const std::vector<PlanDim> &dims, std::vector<int64_t> &counts);
  Status runTile();
  bool mayHoist() const;
  void hoist();
  void hoistRead(size_t r, std::byte *lanes) const;
  void hoistIndex(const isa::MicroOp &op, std::byte *lanes, int64_t n) const;
  void placeHoisted();
  void stepHoisted();
  void placeAll(const isa::MicroOp &op);
  Load describeLoad(const isa::MicroOp &op);
  bool loadHoisted(const isa::MicroOp &op, const Load &load, std::byte *out,
                   bool mustStore, Value &result);
  bool mayRunInPlace() const;
  void makeCalls();
  void runInPlace(size_t begin, size_t end);

  void loadRead(size_t r);
  bool isWholeValid(size_t r) const;
  void loadRow(size_t r, int64_t i, std::byte *lanes);
  void loadRun(isa::Type type, std::byte *lanes, const std::byte *memory,
               int64_t stride, int64_t n) const;
  void storeRun(isa::Type type, std::byte *memory, int64_t stride,
                const std::byte *lanes, int64_t n) const;
  void writeIndex(const isa::MicroOp &op, std::byte *lanes, bool scalar) const;
  bool findPlaces(const isa::MicroOp &op, int64_t *places, int64_t n) const;
  Status loadTable(const isa::MicroOp &op, std::byte *lanes, int64_t n) const;
  void applyOp(const isa::MicroOp &op, std::byte *out, int64_t n) const;
  void evaluateLanes(const isa::MicroOp &op, const blocks::Call &call) const;
  std::byte *directTarget(size_t op) const;
  /// Stores one lane per point (or row, where lanes run along a sum).
  void storeLanes(size_t w, Value value, int64_t columns);
  void storeWrite(size_t w);

  void startAccumulators();
  void accumulate(size_t w);
  void finishAccumulators();
  void combineInto(size_t w, void *out, Value a, Value b, int64_t n) const;
  std::byte *accumulator(size_t w) const {
    return scratch.get() + plan.accumulators[w];
  }
  bool reduces(size_t w) const {
    return kernel.writes[w].kind != isa::WriteKind::Store;
  }
  std::byte *buffer(int number) const {
    return scratch.get() + size_t(number) * plan.bufferBytes;
  }
  int64_t lanes() const { return rows * columns; }

  const isa::Kernel &kernel;
  const PreparedKernel::Plan &plan;
  const KernelFrame &frame;
  const blocks::Table &table;
  const Aliases &aliases;
  size_t firstOp;
  bool anyReduction = false;
  bool yieldsReads = false; ///< a read goes to memory as it is
  bool hoisting = false;

  // The current tile.
  std::array<int64_t, isa::kMaxDims> coordinates{};
  int64_t partial = 0; ///< coordinate of the numbering loop
  int64_t rows = 1, columns = 1;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_TILERUNNER_H
