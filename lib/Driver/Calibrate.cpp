//===- Calibrate.cpp - ranges from sample data ----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiled program itself, its arrays exact, runs on the samples; what its
// converters would have seen becomes their ranges. There is no second
// evaluator.
//
//===----------------------------------------------------------------------===//

#include "mho/Driver/Calibrate.h"

#include "mho/Runtime/Session.h"

#include <algorithm>

namespace mho {

/// Share of the values that a range covers. The few beyond are clipped: with
/// eight bits a wider step would cost more than they do.
static constexpr double kInputShare = 0.9999;
static constexpr double kColumnShare = 0.9999;

Expected<RangesByBank>
calibrateOn(const std::string &path, const rt::TensorMap &samples,
            const std::function<void(double)> &progress) {
  auto session = rt::Session::load(path);
  if (!session.ok())
    return session.status();
  rt::Observer observer((*session)->arrays());
  rt::RunSettings settings;
  settings.observer = &observer;
  settings.progress = progress;
  auto result = (*session)->run(samples, settings);
  if (!result.ok())
    return result.status();

  const fb::Program &program = (*session)->program()->program();
  const fb::Chip &chip = *program.chip();
  bool perColumn = false;
  for (const fb::UnitKind *kind : *chip.kinds())
    if (kind->arrays())
      perColumn = kind->arrays()->adc_range_per_column();

  RangesByBank ranges;
  // An input range belongs to the whole bank: the widest of its arrays.
  for (uint32_t number = 0; number < program.arrays()->size(); ++number) {
    const fb::Array *array = program.arrays()->Get(number);
    std::string name = program.banks()->Get(array->bank())->name()->str();
    BankRanges &bank = ranges[name];
    bank.input =
        std::max(bank.input, observer.input(number).percentile(kInputShare));
  }
  for (uint32_t number = 0; number < program.arrays()->size(); ++number) {
    const fb::Array *array = program.arrays()->Get(number);
    const fb::Bank *from = program.banks()->Get(array->bank());
    BankRanges &bank = ranges[from->name()->str()];
    if (bank.input <= 0)
      bank.input = 1;
    auto columns = observer.column(number);
    uint64_t begin = from->col_splits()->Get(array->col_block());
    uint64_t blocks = from->col_splits()->size() - 1;
    size_t first = perColumn ? array->row_block() * from->cols() + begin
                             : array->row_block() * blocks + array->col_block();
    bank.adc.resize((from->row_splits()->size() - 1) *
                        (perColumn ? from->cols() : blocks),
                    1.0f);
    float widest = 0;
    for (size_t n = 0; n < columns.size(); ++n) {
      float range = columns[n].percentile(kColumnShare) / bank.input;
      widest = std::max(widest, range);
      if (perColumn)
        bank.adc[first + n] = range > 0 ? range : 1.0f;
    }
    if (!perColumn)
      bank.adc[first] = widest > 0 ? widest : 1.0f;
  }
  return ranges;
}

/// No double holds every integer of 64 bits; u64 beyond its half wraps around.
static int64_t integerAt(const rt::Tensor &tensor, size_t i) {
  if (isa::sizeOf(tensor.type) == sizeof(int64_t))
    return tensor.as<int64_t>()[i];
  return int64_t(rt::elementAsDouble(tensor, i));
}

ImportArray importArray(const rt::Tensor &tensor) {
  ImportArray array;
  array.shape = tensor.shape;
  array.integral = !isa::isFloat(tensor.type);
  if (tensor.type == isa::Type::U8)
    array.patternBits = 8;
  else if (tensor.type == isa::Type::U16)
    array.patternBits = 16;
  for (size_t i = 0, n = tensor.elements(); i < n; ++i)
    if (array.integral)
      array.integers.push_back(integerAt(tensor, i));
    else
      array.reals.push_back(rt::elementAsDouble(tensor, i));
  return array;
}

} // namespace mho
