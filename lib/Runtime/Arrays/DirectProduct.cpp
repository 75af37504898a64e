//===- DirectProduct.cpp - f32 products straight from the image ------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DirectProduct.h"

#include "InputVectors.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

namespace mho::rt {

namespace {

/// A thread's share should be worth waking it: multiply-adds.
constexpr int64_t kWorkPerTask = 1 << 17;
/// Rows that share a panel while it is in L1.
constexpr int64_t kChunkRows = 96;
/// Cut windows run in small tiles: as much work as this many rows.
constexpr int64_t kLeastRows = 4;

bool fits(int64_t value) { return value == int32_t(value); }

/// Counts through the points of `extents` and keeps Σ digit · stride.
class Walk {
public:
  Walk(std::span<const int64_t> extents, std::span<const int64_t> strides)
      : extents(extents), strides(strides), digits(extents.size()) {}
  int64_t position() const { return at; }
  void next() {
    for (size_t d = digits.size(); d-- > 0;) {
      at += strides[d];
      if (++digits[d] < extents[d])
        return;
      at -= strides[d] * extents[d];
      digits[d] = 0;
    }
  }

private:
  std::span<const int64_t> extents, strides;
  std::vector<int64_t> digits;
  int64_t at = 0;
};

std::vector<kernels::Piece> piecesOf(const InputVectors &vectors,
                                     std::span<const int64_t> cuts) {
  std::vector<kernels::Piece> pieces;
  size_t number = 0;
  for (const InputRun &run : vectors.pieces()) {
    int64_t begin = cuts[number++], end = cuts[number++];
    if (begin == end)
      continue;
    kernels::Piece piece{run.offset + begin, end - begin, run.position + begin};
    if (!pieces.empty()) {
      kernels::Piece &last = pieces.back();
      if (last.offset + last.length == piece.offset &&
          last.row + last.length == piece.row) {
        last.length += piece.length;
        continue;
      }
    }
    pieces.push_back(piece);
  }
  return pieces;
}

} // namespace

std::shared_ptr<const DirectPlan>
DirectPlan::make(const isa::Mvm &op, std::span<const int64_t> counts,
                 std::span<const int64_t> inner, int64_t rows) {
  InputVectors vectors(op.input, counts, inner, int64_t(op.firstRow), rows);
  int64_t count = vectors.count();
  if (!vectors.unitStride() || op.output.strides.back() != 1 ||
      (vectors.padded() && vectors.fillValue() != 0) || !fits(count))
    return nullptr;

  std::span strides(op.input.strides);
  std::span outStrides(op.output.strides);
  Walk input(counts, strides.first(counts.size()));
  Walk output(counts, outStrides.first(counts.size()));
  std::map<std::vector<int64_t>, size_t> known;
  std::vector<std::vector<std::array<int32_t, 2>>> members;
  std::vector<int64_t> position, cuts, lastCuts;
  size_t last = 0;
  for (int64_t v = 0; v < count; ++v, input.next(), output.next()) {
    if (!fits(input.position()) || !fits(output.position()))
      return nullptr;
    if (v == 0 || vectors.padded()) {
      vectors.positions(v, position);
      cuts.clear();
      for (const InputRun &run : vectors.pieces()) {
        auto [begin, end] = vectors.validPart(run, position);
        cuts.push_back(begin);
        cuts.push_back(end);
      }
    }
    if (v == 0 || cuts != lastCuts) {
      last = known.try_emplace(cuts, known.size()).first->second;
      lastCuts = cuts;
      if (last == members.size())
        members.emplace_back();
    }
    members[last].push_back(
        {int32_t(input.position()), int32_t(output.position())});
  }

  auto plan = std::make_shared<DirectPlan>();
  plan->classes.resize(members.size());
  for (const auto &[key, number] : known)
    plan->classes[number].pieces = piecesOf(vectors, key);
  int64_t work = 0;
  for (size_t c = 0; c < members.size(); ++c) {
    Class &each = plan->classes[c];
    each.first = int64_t(plan->inputs.size());
    each.count = int64_t(members[c].size());
    for (auto [from, to] : members[c]) {
      plan->inputs.push_back(from);
      plan->outputs.push_back(to);
    }
    int64_t depth = 0;
    for (const kernels::Piece &piece : each.pieces)
      depth += piece.length;
    work += std::max(each.count, kLeastRows) * depth;
  }
  // Copying windows costs less than products of odd sizes.
  if (members.size() > 1 && work > count * rows * 5 / 4)
    return nullptr;
  return plan;
}

//===----------------------------------------------------------------------===//
// Cache
//===----------------------------------------------------------------------===//

/// Plans by what they depend on apart from the instruction.
struct MvmCache::State {
  struct Entry {
    std::vector<int64_t> counts, inner;
    int64_t rows;
    std::shared_ptr<const DirectPlan> plan;
  };
  std::mutex lock;
  std::vector<Entry> entries;
  size_t oldest = 0;
};

MvmCache::MvmCache() : state(std::make_unique<State>()) {}
MvmCache::~MvmCache() = default;

std::shared_ptr<const DirectPlan> directPlan(const MvmCall &call,
                                             int64_t rows) {
  if (!call.cache)
    return DirectPlan::make(*call.instruction, call.counts, call.inner, rows);
  // Extents that change from run to run must not fill the memory.
  constexpr size_t most = 8;
  MvmCache::State &state = **call.cache;
  std::lock_guard<std::mutex> guard(state.lock);
  auto same = [](const std::vector<int64_t> &a, std::span<const int64_t> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  };
  for (const auto &entry : state.entries)
    if (entry.rows == rows && same(entry.counts, call.counts) &&
        same(entry.inner, call.inner))
      return entry.plan;
  MvmCache::State::Entry fresh{
      {call.counts.begin(), call.counts.end()},
      {call.inner.begin(), call.inner.end()},
      rows,
      DirectPlan::make(*call.instruction, call.counts, call.inner, rows)};
  auto plan = fresh.plan;
  if (state.entries.size() < most)
    state.entries.push_back(std::move(fresh));
  else
    state.entries[state.oldest++ % most] = std::move(fresh);
  return plan;
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

namespace {

class DirectRun {
public:
  DirectRun(const DirectPlan &plan, const MvmCall &call,
            const ProgrammedArray &array)
      : plan(plan), call(call), samples(int64_t(call.inputs.size())),
        tileRows(kernels::table().directRows) {
    const isa::Mvm &op = *call.instruction;
    product.panels = array.panels.data();
    product.panelStride = array.rows * kernels::kPanel;
    product.panelRow = kernels::kPanel;
    product.firstPanel = 0;
    product.panelCount = array.stride / kernels::kPanel;
    product.columns = array.columns;
    product.scale = array.scale.data();
    product.shift = op.shift ? array.shift.data() : array.zeros.data();
    product.accumulate = op.accumulate;
    tileWork = tileRows * array.rows * array.stride;
    for (const DirectPlan::Class &each : plan.classes)
      tiles += tilesOf(each);
  }

  void run(ThreadPool &pool) {
    // Few rows: the panels are shared out instead.
    int64_t panels = product.panelCount, threads = int64_t(pool.size());
    int64_t pieces = 1;
    if (tiles < 2 * threads && tileWork * tiles > 2 * kWorkPerTask)
      pieces = std::min(panels / 4, 2 * threads);
    if (pieces > 1) {
      pool.parallelFor(size_t(pieces), 1, [&](size_t begin, size_t end) {
        int64_t first = panels * int64_t(begin) / pieces;
        runTiles(0, tiles, first, panels * int64_t(end) / pieces - first);
      });
      return;
    }
    size_t grain = size_t(kWorkPerTask / (tileWork + 1) + 1);
    pool.parallelFor(size_t(tiles), grain, [&](size_t begin, size_t end) {
      runTiles(int64_t(begin), int64_t(end), 0, panels);
    });
  }

private:
  int64_t rowsOf(const DirectPlan::Class &each) const {
    return each.count * samples;
  }
  int64_t tilesOf(const DirectPlan::Class &each) const {
    return (rowsOf(each) + tileRows - 1) / tileRows;
  }

  /// Tiles [begin, end), counted through all classes.
  void runTiles(int64_t begin, int64_t end, int64_t firstPanel,
                int64_t panelCount) const {
    kernels::Direct part = product;
    part.firstPanel = firstPanel;
    part.panelCount = panelCount;
    int64_t before = 0;
    for (const DirectPlan::Class &each : plan.classes) {
      int64_t here = tilesOf(each);
      int64_t first = std::max(begin - before, int64_t(0)) * tileRows;
      int64_t last = std::min((end - before) * tileRows, rowsOf(each));
      before += here;
      part.pieces = each.pieces.data();
      part.pieceCount = int64_t(each.pieces.size());
      for (; first < last; first += kChunkRows)
        runRows(each, first, std::min(last, first + kChunkRows), part);
    }
  }

  void runRows(const DirectPlan::Class &each, int64_t first, int64_t last,
               kernels::Direct &part) const {
    const float *rows[kChunkRows];
    float *out[kChunkRows];
    int64_t sample = first / each.count, vector = first % each.count;
    int64_t n = 0;
    while (first < last) {
      int64_t count = std::min(last - first, each.count - vector);
      const float *from = inputBase(sample);
      float *to = outputBase(sample);
      const int32_t *inputs = plan.inputs.data() + each.first + vector;
      const int32_t *outputs = plan.outputs.data() + each.first + vector;
      for (int64_t i = 0; i < count; ++i, ++n) {
        rows[n] = from + inputs[i];
        out[n] = to + outputs[i];
      }
      first += count;
      ++sample;
      vector = 0;
    }
    part.rows = rows;
    part.rowCount = n;
    part.out = out;
    kernels::table().directF32(part);
  }

  const float *inputBase(int64_t sample) const {
    int64_t shift = call.inputShift.empty() ? 0 : call.inputShift[sample];
    return reinterpret_cast<const float *>(call.inputs[sample] +
                                           call.instruction->input.offset) +
           shift;
  }
  float *outputBase(int64_t sample) const {
    int64_t shift = call.outputShift.empty() ? 0 : call.outputShift[sample];
    return reinterpret_cast<float *>(call.outputs[sample] +
                                     call.instruction->output.offset) +
           shift;
  }

  const DirectPlan &plan;
  const MvmCall &call;
  int64_t samples, tileRows;
  int64_t tileWork = 0, tiles = 0;
  kernels::Direct product{};
};

} // namespace

void runDirect(const DirectPlan &plan, const MvmCall &call,
               const ProgrammedArray &array, ThreadPool &pool) {
  DirectRun(plan, call, array).run(pool);
}

} // namespace mho::rt
