//===- SetRanges.cpp - full scales of DACs and ADCs -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Calibrated ranges are written as they are. Banks without one get the default
// rule: what is known of a tensor is its root mean square and what its values
// lie between; graph inputs count as standard normal, every op says what it
// does to the two. Loops are walked until what they carry no longer grows.
//
//===----------------------------------------------------------------------===//

#include "ColumnNorms.h"
#include "Magnitudes.h"

#include "mho/Dialect/Analog/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace mho;
using analog::kSigmas;
using analog::Magnitude;

namespace mho {
#define GEN_PASS_DEF_SETRANGES
#include "mho/Dialect/Analog/Transforms/Passes.h.inc"
} // namespace mho

namespace {

/// Trips after which a loop's values count as known.
constexpr int kTrips = 8;

class RangeRule {
public:
  explicit RangeRule(ModuleOp module) : symbols(module) {}

  /// Propagates through `function`; notes what each bank's inputs reach.
  void run(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments())
      known[argument] =
          analog::codesOf(getElementTypeOrSelf(argument.getType()));
    walk(function.front());
  }

  /// The largest input that any use of the bank sees.
  const Magnitude &inputOf(analog::BankOp bank) { return inputs[bank]; }
  const analog::ColumnNorms &normsOf(analog::BankOp bank) {
    auto found = norms.find(bank);
    if (found == norms.end())
      found = norms.try_emplace(bank, analog::columnNormsOf(bank)).first;
    return found->second;
  }

private:
  void walk(Block &block) {
    for (Operation &op : block.without_terminator()) {
      // Constants are known by their elements.
      if (op.hasTrait<OpTrait::ConstantLike>())
        continue;
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        walkLoop(loop);
      } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
        walkBranch(branch);
      } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
        walkLoop(loop);
      } else if (!op.hasTrait<OpTrait::ConstantLike>()) {
        Magnitude result = transfer(&op);
        for (Value value : op.getResults())
          known[value] = result;
      }
    }
  }

  /// Makes values as large as others; whether that changed any.
  bool widen(ValueRange values, ValueRange others) {
    bool changed = false;
    for (auto [value, other] : llvm::zip(values, others)) {
      Magnitude seen = of(other);
      auto [found, isNew] = known.try_emplace(value, seen);
      Magnitude &mine = found->second;
      changed |= isNew || seen.rms > 1.01f * mine.rms ||
                 seen.largest() > 1.01f * mine.largest();
      mine = analog::hull(mine, seen);
    }
    return changed;
  }

  void walkLoop(scf::ForOp loop) {
    widen(loop.getRegionIterArgs(), loop.getInitArgs());
    for (int trip = 0; trip < kTrips; ++trip) {
      walk(*loop.getBody());
      if (!widen(loop.getRegionIterArgs(), loop.getYieldedValues()))
        break;
    }
    widen(loop.getResults(), loop.getRegionIterArgs());
  }

  void walkLoop(scf::WhileOp loop) {
    widen(loop.getBeforeArguments(), loop.getInits());
    for (int trip = 0; trip < kTrips; ++trip) {
      walk(*loop.getBeforeBody());
      widen(loop.getAfterArguments(), loop.getConditionOp().getArgs());
      walk(*loop.getAfterBody());
      if (!widen(loop.getBeforeArguments(), loop.getYieldOp().getResults()))
        break;
    }
    widen(loop.getResults(), loop.getAfterArguments());
  }

  void walkBranch(scf::IfOp branch) {
    for (Region *region : branch.getRegions()) {
      if (region->empty())
        continue;
      walk(region->front());
      widen(branch.getResults(),
            region->front().getTerminator()->getOperands());
    }
  }

  Magnitude of(Value value) {
    ElementsAttr elements;
    auto found = known.find(value);
    if (found != known.end())
      return found->second;
    if (isa<ShapedType>(value.getType()) &&
        matchPattern(value, m_Constant(&elements)))
      return known[value] = analog::magnitudeOf(elements);
    return {};
  }

  Magnitude transfer(Operation *op) {
    SmallVector<Magnitude> in;
    for (Value operand : op->getOperands())
      in.push_back(of(operand));
    if (auto mvm = dyn_cast<analog::MvmOp>(op))
      return transferMvm(mvm, in[0]).limited();
    return analog::magnitudeAfter(op, in);
  }

  Magnitude transferMvm(analog::MvmOp mvm, Magnitude x) {
    auto bank = symbols.lookup<analog::BankOp>(mvm.getBank());
    auto [seen, fresh] = inputs.try_emplace(bank, x);
    seen->second = analog::hull(seen->second, x);
    const analog::ColumnNorms &sums = normsOf(bank);
    ArrayRef<int64_t> colSplits = bank.getColSplits();
    int64_t begin = colSplits[mvm.getColBegin()];
    int64_t end = colSplits[mvm.getColEnd()];
    std::vector<float> scale(bank.getView().getNumColumns(), 1.0f);
    std::vector<float> shift(bank.getView().getNumColumns(), 0.0f);
    if (auto values = bank.getScale())
      analog::forEachFloat(*values, [&](int64_t n, float v) { scale[n] = v; });
    if (auto values = bank.getShift(); values && mvm.getShift())
      analog::forEachFloat(*values, [&](int64_t n, float v) { shift[n] = v; });
    double squares = 0;
    float low = std::numeric_limits<float>::infinity(), high = -low;
    for (int64_t column = begin; column < end; ++column) {
      double variance = 0;
      for (uint64_t block = mvm.getRowBegin(); block < mvm.getRowEnd(); ++block)
        variance +=
            double(sums.square[block][column]) * sums.square[block][column];
      float spread = x.rms * std::sqrt(variance) * std::fabs(scale[column]);
      squares +=
          double(spread) * spread + double(shift[column]) * shift[column];
      low = std::min(low, shift[column] - kSigmas * spread);
      high = std::max(high, shift[column] + kSigmas * spread);
    }
    return {float(std::sqrt(squares / std::max<int64_t>(end - begin, 1))), low,
            high};
  }

  SymbolTable symbols;
  DenseMap<Value, Magnitude> known;
  DenseMap<Operation *, Magnitude> inputs;
  DenseMap<Operation *, analog::ColumnNorms> norms;
};

/// The rule's ranges: four standard deviations, but never more than the
/// column can reach.
BankRanges defaultRanges(analog::BankOp bank, const Magnitude &input,
                         const analog::ColumnNorms &norms) {
  BankRanges ranges;
  ranges.input = input.largest() > 0 ? input.largest() : 1.0f;
  ArrayRef<int64_t> colSplits = bank.getColSplits();
  for (size_t row = 0; row < norms.square.size(); ++row)
    for (size_t block = 0; block + 1 < colSplits.size(); ++block) {
      float range = 0;
      for (int64_t n = colSplits[block]; n < colSplits[block + 1]; ++n) {
        if (norms.top[row][n] == 0)
          continue;
        float spread =
            kSigmas * input.rms / ranges.input * norms.square[row][n];
        range = std::max(range, std::min(spread, norms.sum[row][n]) /
                                    norms.top[row][n]);
      }
      ranges.adc.push_back(range > 0 ? range : 1.0f);
    }
  return ranges;
}

struct SetRanges : mho::impl::SetRangesBase<SetRanges> {
  SetRanges() = default;
  explicit SetRanges(RangesByBank given) : given(std::move(given)) {}

  void runOnOperation() override {
    RangeRule rule(getOperation());
    bool ruled = false;
    for (auto bank : getOperation().getOps<analog::BankOp>()) {
      BankRanges ranges;
      auto found = given.find(bank.getSymName().str());
      if (found != given.end()) {
        ranges = found->second;
      } else if (bank.getInputRange()) {
        continue;
      } else {
        if (!ruled)
          for (auto function : getOperation().getOps<func::FuncOp>())
            rule.run(function);
        ruled = true;
        ranges = defaultRanges(bank, rule.inputOf(bank), rule.normsOf(bank));
      }
      Builder builder(&getContext());
      bank.setInputRangeAttr(builder.getF32FloatAttr(ranges.input));
      bank.setAdcRangesAttr(builder.getDenseF32ArrayAttr(ranges.adc));
    }
  }

  RangesByBank given;
};

} // namespace

std::unique_ptr<Pass> mho::createSetRangesPass(RangesByBank ranges) {
  return std::make_unique<SetRanges>(std::move(ranges));
}
