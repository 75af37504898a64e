//===- ArrayBank.cpp - the arrays of a program -----------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Binds arrays to a loaded program: which weights, ranges and device each has
// (program), and which vectors an instruction feeds them (run).
//
//===----------------------------------------------------------------------===//

#include "DirectProduct.h"
#include "Frame.h"
#include "InputVectors.h"
#include "ProgrammedArray.h"
#include "mho/Runtime/Mvm.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace mho::rt {

namespace {

/// A thread's share should be worth waking it: multiply-adds.
constexpr int64_t kWorkPerTask = 1 << 19;

class CrossbarBank final : public ArrayBank {
public:
  CrossbarBank(std::shared_ptr<const LoadedProgram> program, size_t arrays)
      : source(std::move(program)), arrays(arrays) {}

  void run(const MvmCall &call, ThreadPool &pool, Observer *observer) override;

  std::shared_ptr<const LoadedProgram> source;
  std::vector<ProgrammedArray> arrays;
};

/// How the vectors of a call fall into blocks. A block holds whole samples
/// where these are small, else part of one sample, so that what shares a
/// block never changes a result.
struct Blocks {
  Blocks(int64_t samples, int64_t vectors)
      : samples(samples), vectors(vectors),
        perBlock(vectors > 0 ? std::max<int64_t>(1, kBlockVectors / vectors)
                             : 1),
        perSample((vectors + kBlockVectors - 1) / kBlockVectors),
        count(perSample <= 1 ? (samples + perBlock - 1) / perBlock
                             : samples * perSample) {
    if (vectors == 0)
      count = 0;
  }
  template <typename Part> void parts(int64_t block, const Part &part) const {
    if (perSample <= 1) {
      int64_t last = std::min(samples, (block + 1) * perBlock);
      for (int64_t s = block * perBlock; s < last; ++s)
        part(s, int64_t(0), vectors);
      return;
    }
    int64_t first = block % perSample * kBlockVectors;
    part(block / perSample, first, std::min(kBlockVectors, vectors - first));
  }
  int64_t samples, vectors, perBlock, perSample, count;
};

/// One call while it runs.
class Execution {
public:
  Execution(const MvmCall &call, const ProgrammedArray &array)
      : call(call), array(array), instruction(*call.instruction),
        inputs(instruction.input, call.counts, call.inner,
               int64_t(instruction.firstRow), array.rows),
        blocks(int64_t(call.inputs.size()), inputs.count()) {
    auto &strides = instruction.output.strides;
    outStrides = std::span(strides).first(call.counts.size());
    columnStride = strides.back();
    for (size_t s = 0; s < call.inputs.size(); ++s)
      keys.push_back(
          array.noisy
              ? streamKey(array.readKey, call.firstSample + s, call.repetition)
              : StreamKey{});
    // Frames serve blocks of one sample; f32 reads with effects want their
    // vectors whole.
    if (blocks.count == 0 || inputs.contiguous() || blocks.perBlock > 1 ||
        (!array.integer && (array.quantised || array.noisy)))
      return;
    direct = !array.integer && inputs.unpadded();
    if (direct)
      for (const InputRun &run : inputs.pieces())
        directRuns.push_back({run.offset, run.length});
    else
      frame = Frame::plan(instruction.input, call.counts, call.inner,
                          int64_t(instruction.firstRow), array.rows,
                          array.integer ? 4 : 1);
  }

  /// Runs everything, split over the pool.
  void run(ThreadPool &pool);

  void observe(uint32_t number, Observer &observer);

private:
  /// The elements of one sample that windows read.
  struct Framed {
    Framed(const Frame &frame, const ProgrammedArray &array)
        : values(size_t(array.integer ? 0 : frame.size())),
          codes(size_t(array.integer ? frame.size() : 0)),
          squares(size_t(array.integer && array.noisy ? frame.size() : 0)) {}
    Buffer<float> values;
    Buffer<int16_t> codes;
    Buffer<uint8_t> squares;
  };
  void fill(int64_t sample, Framed &framed) const {
    if (array.integer)
      frame->fillCodes(inputBase(sample), array, framed.codes.data(),
                       framed.squares.data());
    else
      frame->fillValues(inputBase(sample), framed.values.data());
  }
  /// Blocks [begin, end); `framed` holds the samples from `firstFramed` on.
  void runBlocks(int64_t begin, int64_t end, const Framed *framed,
                 int64_t firstFramed) const;

  const float *inputBase(int64_t sample) const {
    int64_t shift = call.inputShift.empty() ? 0 : call.inputShift[sample];
    return reinterpret_cast<const float *>(call.inputs[sample] +
                                           instruction.input.offset) +
           shift;
  }
  float *output(int64_t sample, int64_t vector) const {
    int64_t shift = call.outputShift.empty() ? 0 : call.outputShift[sample];
    return reinterpret_cast<float *>(call.outputs[sample] +
                                     instruction.output.offset) +
           shift + dotDigits(vector, call.counts, outStrides);
  }
  /// Fills `block` with the vectors of block number `number`; copies those
  /// that are not consecutive in memory to `gathered`.
  void collect(int64_t number, VectorBlock &block,
               std::vector<BlockPart> &parts, float *gathered) const;
  /// The same where `framed` holds the block's sample, or where windows are
  /// read where they are (`framed` null).
  void collectWindows(int64_t number, VectorBlock &block,
                      std::vector<BlockPart> &parts,
                      const Framed *framed) const;

  const MvmCall &call;
  const ProgrammedArray &array;
  const isa::Mvm &instruction;
  InputVectors inputs;
  Blocks blocks;
  std::optional<Frame> frame;
  bool direct = false; ///< f32 windows are runs of the image as it is
  std::vector<kernels::Run> directRuns;
  std::span<const int64_t> outStrides;
  int64_t columnStride = 1;
  std::vector<StreamKey> keys;
};

void Execution::collect(int64_t number, VectorBlock &block,
                        std::vector<BlockPart> &parts, float *gathered) const {
  parts.clear();
  block.count = 0;
  blocks.parts(number, [&](int64_t sample, int64_t first, int64_t count) {
    parts.push_back({block.count, count, uint64_t(first), keys[sample]});
    const float *base = inputBase(sample);
    for (int64_t v = 0; v < count; ++v) {
      int64_t at = block.count++;
      if (inputs.contiguous()) {
        block.values[at] =
            base + inputs.start(first + v) + inputs.pieces()[0].offset;
      } else {
        float *to = gathered + at * array.rows;
        inputs.gather(base, first + v, to);
        block.values[at] = to;
      }
      block.out[at] = output(sample, first + v);
    }
  });
  block.parts = parts;
}

void Execution::collectWindows(int64_t number, VectorBlock &block,
                               std::vector<BlockPart> &parts,
                               const Framed *framed) const {
  parts.clear();
  block.count = 0;
  block.coded = array.integer;
  block.runs = framed ? frame->runs() : std::span(directRuns);
  blocks.parts(number, [&](int64_t sample, int64_t first, int64_t count) {
    parts.push_back({block.count, count, uint64_t(first), keys[sample]});
    const float *base = inputBase(sample);
    for (int64_t v = 0; v < count; ++v) {
      int64_t at = block.count++;
      block.out[at] = output(sample, first + v);
      if (!framed) {
        block.values[at] = base + inputs.start(first + v);
        continue;
      }
      int64_t start = frame->start(first + v);
      if (!array.integer)
        block.values[at] = framed->values.data() + start;
      else
        block.codes[at] = framed->codes.data() + start;
      if (array.integer && array.noisy)
        block.squares[at] = framed->squares.data() + start;
    }
  });
  block.parts = parts;
}

void Execution::run(ThreadPool &pool) {
  if (blocks.count == 0)
    return;
  int64_t work = std::min(kBlockVectors, inputs.count() * blocks.samples) *
                 array.rows * array.stride;
  size_t grain = size_t(std::max<int64_t>(1, kWorkPerTask / (work + 1)));
  if (!frame) {
    pool.parallelFor(size_t(blocks.count), grain,
                     [&](size_t begin, size_t end) {
                       runBlocks(int64_t(begin), int64_t(end), nullptr, 0);
                     });
    return;
  }
  int64_t perSample = blocks.perSample;
  if (blocks.samples >= int64_t(pool.size())) {
    // A sample's frame is read while it is still in the cache.
    pool.parallelFor(size_t(blocks.samples), 1, [&](size_t begin, size_t end) {
      Framed framed(*frame, array);
      for (int64_t s = int64_t(begin); s < int64_t(end); ++s) {
        fill(s, framed);
        runBlocks(s * perSample, (s + 1) * perSample, &framed, s);
      }
    });
    return;
  }
  std::vector<Framed> framed;
  for (int64_t s = 0; s < blocks.samples; ++s)
    framed.emplace_back(*frame, array);
  pool.parallelFor(framed.size(), 1, [&](size_t begin, size_t end) {
    for (size_t s = begin; s < end; ++s)
      fill(int64_t(s), framed[s]);
  });
  pool.parallelFor(size_t(blocks.count), grain, [&](size_t begin, size_t end) {
    runBlocks(int64_t(begin), int64_t(end), framed.data(), 0);
  });
}

void Execution::runBlocks(int64_t begin, int64_t end, const Framed *framed,
                          int64_t firstFramed) const {
  BlockScratch scratch(array);
  bool scatters = columnStride != 1;
  bool gathers = !inputs.contiguous() && !frame && !direct;
  Buffer<float> gathered(size_t(gathers ? kBlockVectors * array.rows : 0));
  Buffer<float> results(size_t(scatters ? kBlockVectors * array.columns : 0));
  std::vector<BlockPart> parts;
  VectorBlock block;
  block.addShift = instruction.shift;
  block.accumulate = instruction.accumulate && !scatters;
  float *out[kBlockVectors];
  for (int64_t number = begin; number < end; ++number) {
    if (frame)
      collectWindows(number, block, parts,
                     framed + (number / blocks.perSample - firstFramed));
    else if (direct)
      collectWindows(number, block, parts, nullptr);
    else
      collect(number, block, parts, gathered.data());
    if (scatters)
      for (int64_t v = 0; v < block.count; ++v) {
        out[v] = block.out[v];
        block.out[v] = results.data() + v * array.columns;
      }
    readBlock(array, block, scratch);
    if (!scatters)
      continue;
    for (int64_t v = 0; v < block.count; ++v)
      for (int64_t c = 0; c < array.columns; ++c) {
        float &to = out[v][c * columnStride];
        float y = block.out[v][c];
        to = instruction.accumulate ? to + y : y;
      }
  }
}

void Execution::observe(uint32_t number, Observer &observer) {
  BlockScratch scratch(array);
  Buffer<float> gathered(size_t(kBlockVectors * array.rows));
  Buffer<float> results(size_t(kBlockVectors * array.columns));
  std::vector<BlockPart> parts;
  VectorBlock block;
  MagnitudeHistogram values;
  std::vector<MagnitudeHistogram> columns(size_t(array.columns));
  for (int64_t at = 0; at < blocks.count; ++at) {
    collect(at, block, parts, gathered.data());
    for (int64_t v = 0; v < block.count; ++v)
      block.out[v] = results.data() + v * array.columns;
    readBlock(array, block, scratch);
    for (int64_t v = 0; v < block.count; ++v) {
      for (int64_t row = 0; row < array.rows; ++row)
        values.add(std::fabs(block.values[v][row]));
      const float *sums = scratch.acc.data() + v * array.stride;
      for (int64_t c = 0; c < array.columns; ++c)
        columns[c].add(array.columnScale[c] > 0
                           ? std::fabs(sums[c]) / array.columnScale[c]
                           : 0);
    }
  }
  observer.seeInputs(number, values);
  observer.seeColumns(number, columns);
}

void CrossbarBank::run(const MvmCall &call, ThreadPool &pool,
                       Observer *observer) {
  const ProgrammedArray &array = arrays[call.array];
  if (!observer && isPlain(array))
    if (auto plan = directPlan(call, array.rows)) {
      runDirect(*plan, call, array, pool);
      return;
    }
  Execution execution(call, array);
  if (observer)
    execution.observe(call.array, *observer);
  execution.run(pool);
}

std::string bankName(const fb::Program &program, uint32_t number) {
  auto *name = program.banks()->Get(number)->name();
  return name && name->size() ? name->str()
                              : "number " + std::to_string(number);
}

/// The ranges an array needs for converters, or what is missing.
Status checkRanges(const fb::Program &program, uint32_t number,
                   int64_t columns) {
  const fb::Array &array = *program.arrays()->Get(number);
  const fb::Bank &bank = *program.banks()->Get(array.bank());
  auto missing = [&](const char *what) {
    return failure("bank '" + bankName(program, array.bank()) +
                   "' has no ranges (" + what + " of array " +
                   std::to_string(number) +
                   "), compile with '--calibrate' or run with '--ideal'");
  };
  if (!(bank.input_range() > 0) || !std::isfinite(bank.input_range()))
    return missing("input range");
  auto *ranges = array.adc_range();
  if (!ranges || ranges->size() == 0)
    return missing("ADC range");
  if (ranges->size() != 1 && int64_t(ranges->size()) != columns)
    return failure("bank '" + bankName(program, array.bank()) + "': array " +
                   std::to_string(number) + " has " +
                   std::to_string(ranges->size()) + " ADC ranges for " +
                   std::to_string(columns) + " columns");
  float largest = 0;
  for (float range : *ranges) {
    if (!(range >= 0) || !std::isfinite(range))
      return missing("ADC range");
    largest = std::max(largest, range);
  }
  // A column of zero weights may have no range; all of them may not.
  return largest > 0 || ranges->size() > 1 ? success() : missing("ADC range");
}

const float *affine(const Container &file, uint64_t offset, uint64_t column) {
  if (offset == kNoAffine)
    return nullptr;
  return reinterpret_cast<const float *>(file.constants().data() + offset) +
         column;
}

} // namespace

Expected<std::unique_ptr<ArrayBank>>
ArrayBank::program(std::shared_ptr<const LoadedProgram> loaded,
                   const NoiseSettings &noise, uint32_t instance,
                   ThreadPool &pool) {
  const fb::Program &program = loaded->program();
  const Container &file = *loaded->file;
  size_t count = program.arrays() ? program.arrays()->size() : 0;
  if (noise.drift && noise.compensation == Compensation::Reference)
    return failure(
        "chip '" +
        (loaded->chip().name() ? loaded->chip().name()->str() : std::string()) +
        "' has no reference cells to compensate drift with, choose "
        "'global', 'column' or 'none'");

  // One device model per kind of unit that has arrays.
  auto *kinds = loaded->chip().kinds();
  std::vector<std::unique_ptr<DeviceModel>> devices(kinds ? kinds->size() : 0);
  for (size_t k = 0; k < devices.size(); ++k) {
    const fb::Arrays *arrays = kinds->Get(uint32_t(k))->arrays();
    if (!arrays || noise.ideal())
      continue;
    DeviceParameters parameters;
    if (arrays->device_parameters())
      for (const fb::Parameter *p : *arrays->device_parameters())
        if (p->key())
          parameters[p->key()->str()] = p->value();
    auto device =
        createDeviceModel(arrays->device() ? arrays->device()->str() : "",
                          arrays->devices_per_polarity(), parameters);
    if (!device)
      return Status(device.status())
          .within("unit kind '" +
                  (kinds->Get(uint32_t(k))->name()
                       ? kinds->Get(uint32_t(k))->name()->str()
                       : std::string()) +
                  "'");
    devices[k] = std::move(*device);
  }

  std::vector<ArraySpec> specs(count);
  std::vector<std::vector<float>> ranges(count);
  for (uint32_t number = 0; number < count; ++number) {
    const fb::Array &array = *program.arrays()->Get(number);
    const fb::Bank &bank = *program.banks()->Get(array.bank());
    uint32_t kind = program.units()->Get(array.unit())->kind();
    const fb::Arrays *hardware = kinds->Get(kind)->arrays();
    ArraySpec &spec = specs[number];
    int64_t row = int64_t(bank.row_splits()->Get(array.row_block()));
    int64_t column = int64_t(bank.col_splits()->Get(array.col_block()));
    spec.rows = int64_t(bank.row_splits()->Get(array.row_block() + 1)) - row;
    spec.columns =
        int64_t(bank.col_splits()->Get(array.col_block() + 1)) - column;
    spec.weightStride = int64_t(bank.stride());
    spec.weights =
        reinterpret_cast<const float *>(file.weights().data() + bank.offset()) +
        row * spec.weightStride + column;
    spec.scale = affine(file, bank.scale(), uint64_t(column));
    spec.shift = affine(file, bank.shift(), uint64_t(column));
    spec.instance = instance;
    spec.array = number;
    spec.device = devices[kind].get();
    if (hardware) {
      spec.scalePerColumn = hardware->scale_per_column();
      spec.inputBits = hardware->input_bits();
      spec.outputBits = hardware->output_bits();
    }
    if (!noise.quantization)
      continue;
    if (spec.inputBits < 2 || spec.inputBits > 24 || spec.outputBits < 2 ||
        spec.outputBits > 24)
      return failure("converters of 2 to 24 bits are supported, bank '" +
                     bankName(program, array.bank()) + "' has " +
                     std::to_string(spec.inputBits) + " in and " +
                     std::to_string(spec.outputBits) + " out");
    Status checked = checkRanges(program, number, spec.columns);
    if (!checked.ok())
      return checked;
    spec.inputRange = bank.input_range();
    ranges[number].assign(array.adc_range()->begin(), array.adc_range()->end());
    spec.adcRange = ranges[number];
  }

  auto bank = std::make_unique<CrossbarBank>(loaded, count);
  pool.parallelFor(count, 1, [&](size_t begin, size_t end) {
    for (size_t number = begin; number < end; ++number)
      bank->arrays[number] = programArray(specs[number], noise);
  });
  return std::unique_ptr<ArrayBank>(std::move(bank));
}

} // namespace mho::rt
