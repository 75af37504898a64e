//===- KernelTest.cpp - blocks against the reference kernels
//----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/Plan.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

namespace {
constexpr size_t kBytes = 1 << 20;

/// Inputs in one buffer, outputs in another, so that nothing overlaps.
struct Memory {
  std::vector<std::byte> in = std::vector<std::byte>(kBytes);
  std::vector<std::byte> out = std::vector<std::byte>(kBytes);
};

uint32_t pattern(float value) { return std::bit_cast<uint32_t>(value); }

MicroOp micro(MicroOpcode op, Type type, std::vector<uint32_t> operands,
              uint64_t immediate = 0) {
  return {uint16_t(op), type, immediate, std::move(operands)};
}

/// A random kernel over values of one type and its memory.
class RandomKernel {
public:
  explicit RandomKernel(unsigned seed) : random(seed) { build(); }
  Kernel kernel;
  Memory memory;
  std::vector<int64_t> inOffsets, outOffsets;

  Status run(bool reference, Memory &into, const blocks::Table &table,
             ThreadPool *pool) const {
    std::vector<int64_t> extents;
    for (const Extent &extent : kernel.dims)
      extents.push_back(extent.max);
    std::vector<const std::byte *> reads;
    std::vector<std::byte *> writes;
    for (int64_t offset : inOffsets)
      reads.push_back(memory.in.data() + offset);
    for (int64_t offset : outOffsets)
      writes.push_back(into.out.data() + offset);
    KernelFrame frame{extents, reads, writes, {}};
    if (reference)
      return runReference(kernel, frame);
    auto plan = makePlan(kernel, extents);
    planned = plan != nullptr;
    return runPlan(kernel, plan.get(), frame, pool, table);
  }
  mutable bool planned = false;

private:
  int64_t below(int64_t n) { return int64_t(random() % uint64_t(n)); }
  bool chance(int percent) { return below(100) < percent; }
  void build();
  Access randomRead();
  std::vector<int64_t> packedStrides(const std::vector<bool> &kept);
  void addOps();
  void addWrite(Type type, uint32_t value);
  void fill();

  std::mt19937_64 random;
  Type type = Type::F32;
};
} // namespace

/// Row-major over some dimensions in a random order.
std::vector<int64_t>
RandomKernel::packedStrides(const std::vector<bool> &kept) {
  std::vector<size_t> order;
  for (size_t d = 0; d < kept.size(); ++d)
    if (kept[d])
      order.push_back(d);
  if (chance(30))
    std::shuffle(order.begin(), order.end(), random);
  std::vector<int64_t> strides(kept.size(), 0);
  int64_t stride = chance(85) ? 1 : 3;
  for (size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = stride;
    stride *= kernel.dims[order[i]].max + (chance(15) ? 2 : 0);
  }
  return strides;
}

Access RandomKernel::randomRead() {
  Access access;
  access.type = type;
  std::vector<bool> kept;
  for (size_t d = 0; d < kernel.dims.size(); ++d)
    kept.push_back(chance(75));
  access.strides = packedStrides(kept);
  if (chance(25) && !kernel.dims.empty()) {
    ValidRange range;
    for (size_t d = 0; d < kernel.dims.size(); ++d)
      range.coefficients.push_back(chance(50) ? below(3) - 1 : 0);
    range.offset = below(5) - 2;
    range.size = 1 + below(12);
    access.valid.push_back(range);
    access.fill = 7;
  }
  return access;
}

void RandomKernel::addOps() {
  bool floats = isFloat(type);
  std::vector<MicroOpcode> codes =
      floats ? std::vector<MicroOpcode>{MicroOpcode::ArithAddf,
                                        MicroOpcode::ArithMulf,
                                        MicroOpcode::ArithSubf,
                                        MicroOpcode::ArithMaximumf,
                                        MicroOpcode::ArithMinimumf,
                                        MicroOpcode::ArithMinnumf}
             : std::vector<MicroOpcode>{
                   MicroOpcode::ArithAddi,  MicroOpcode::ArithMuli,
                   MicroOpcode::ArithMaxsi, MicroOpcode::ArithMinui,
                   MicroOpcode::ArithXori,  MicroOpcode::ArithShrsi,
                   MicroOpcode::ArithDivsi, MicroOpcode::ArithRemui};
  std::vector<uint32_t> usable;
  uint32_t next = 0;
  for (; next < kernel.reads.size(); ++next)
    usable.push_back(next);
  for (const Write &write : kernel.writes)
    if (write.kind == WriteKind::Carry)
      usable.push_back(next++);
  auto any = [&] { return usable[size_t(below(int64_t(usable.size())))]; };
  auto add = [&](MicroOp op) {
    kernel.body.ops.push_back(std::move(op));
    return next++;
  };
  // Zeros with and without sign: extremes with a constant tell them apart.
  static constexpr float constants[] = {0.5f, 0.0f, -0.0f};
  uint64_t constant = floats ? pattern(constants[below(3)]) : 3;
  usable.push_back(add(micro(MicroOpcode::ArithConstant, type, {}, constant)));
  if (!kernel.dims.empty() && chance(40)) {
    uint32_t index = add(micro(MicroOpcode::TileIndex, Type::I64, {},
                               uint64_t(below(int64_t(kernel.dims.size())))));
    usable.push_back(
        add(floats ? micro(MicroOpcode::ArithSitofp, type, {index})
                   : micro(bitsOf(type) == 64 ? MicroOpcode::ArithIndexCast
                                              : MicroOpcode::ArithTrunci,
                           type, {index})));
  }
  for (int64_t i = 0, n = below(6); i < n; ++i) {
    uint32_t a = any(), b = any();
    if (chance(25)) {
      uint32_t mask = add(
          micro(floats ? MicroOpcode::ArithCmpf : MicroOpcode::ArithCmpi,
                Type::Bool, {a, b}, uint64_t(floats ? below(16) : below(10))));
      usable.push_back(
          add(micro(MicroOpcode::ArithSelect, type, {mask, b, a})));
      continue;
    }
    usable.push_back(
        add(micro(codes[size_t(below(int64_t(codes.size())))], type, {a, b})));
  }
  for (size_t w = 0; w < kernel.writes.size(); ++w)
    kernel.body.yields.push_back(any());
}

void RandomKernel::build() {
  static constexpr Type types[] = {Type::F32, Type::F32, Type::F32, Type::I64,
                                   Type::I32, Type::I8,  Type::U8,  Type::F16};
  type = types[below(8)];
  size_t rank = size_t(below(5));
  int64_t budget = 6000;
  for (size_t d = 0; d < rank; ++d) {
    static constexpr int64_t sizes[] = {1,  2,  3,  5,   8,  16,
                                        17, 33, 64, 200, 700};
    int64_t extent = std::min(sizes[below(11)], std::max<int64_t>(budget, 1));
    kernel.dims.push_back({extent, kNoSlot});
    budget /= extent;
  }
  for (int64_t i = 0, n = below(4); i < n; ++i)
    kernel.reads.push_back(randomRead());

  // One set of reduced dimensions, which some writes use.
  std::vector<bool> kept;
  for (size_t d = 0; d < rank; ++d)
    kept.push_back(chance(60));
  int64_t place = 0;
  for (int64_t i = 0, n = 1 + below(2); i < n; ++i) {
    Write write;
    write.access.type = type;
    bool stores = chance(50);
    if (!stores) {
      static constexpr WriteKind kinds[] = {WriteKind::Add, WriteKind::Max,
                                            WriteKind::Mul, WriteKind::Min,
                                            WriteKind::Carry};
      write.kind = kinds[below(5)];
      write.fromMemory = chance(50);
      write.init =
          isFloat(type) ? (type == Type::F32 ? pattern(2) : 0x4000) : 2;
    }
    write.access.strides =
        packedStrides(stores ? std::vector<bool>(rank, true) : kept);
    kernel.writes.push_back(write);
    outOffsets.push_back(place);
    place += 400000;
  }
  addOps();
  fill();
}

void RandomKernel::fill() {
  for (size_t r = 0; r < kernel.reads.size(); ++r)
    inOffsets.push_back(64 * below(8));
  constexpr size_t period = 1 << 13;
  for (std::vector<std::byte> *bytes : {&memory.in, &memory.out})
    for (size_t i = 0; i < bytes->size(); i += sizeOf(type)) {
      if (i >= period) {
        std::memcpy(bytes->data() + i, bytes->data() + i - period, period);
        i += period - sizeOf(type);
        continue;
      }
      Scalar value = fromDouble(type, double(below(400)) / 16 - 10);
      if (isFloat(type) && chance(10))
        value = fromDouble(type, chance(50) ? -0.0 : 0.0);
      if (isFloat(type) && chance(2))
        value = fromDouble(type, std::nan(""));
      storeScalar(type, bytes->data() + i, value);
    }
}

static bool sameElement(Type type, const std::byte *a, const std::byte *b) {
  if (std::memcmp(a, b, sizeOf(type)) == 0)
    return true;
  // Which NaN it is nobody promises.
  return isFloat(type) && std::isnan(toDouble(type, loadScalar(type, a))) &&
         std::isnan(toDouble(type, loadScalar(type, b)));
}

static void expectSame(const RandomKernel &random, const Memory &wanted,
                       const Memory &got, const std::string &what) {
  if (wanted.out == got.out)
    return;
  Type type = random.kernel.writes[0].access.type;
  for (size_t i = 0; i < kBytes; i += sizeOf(type))
    if (!sameElement(type, &wanted.out[i], &got.out[i])) {
      ADD_FAILURE() << what << ": " << nameOf(type) << " element at byte " << i
                    << " is " << toDouble(type, loadScalar(type, &got.out[i]))
                    << ", the reference has "
                    << toDouble(type, loadScalar(type, &wanted.out[i]));
      return;
    }
}

TEST(Kernel, BlocksEqualTheReference) {
  ThreadPool pool(2);
  std::vector<const blocks::Table *> list = blocks::tables();
  int planned = 0;
  for (unsigned seed = 0; seed < 600 && !HasFailure(); ++seed) {
    RandomKernel random(seed);
    Memory wanted = random.memory;
    ASSERT_TRUE(random.run(true, wanted, blocks::table(), nullptr).ok());
    for (size_t t = 0; t < list.size(); ++t) {
      Memory got = random.memory;
      ASSERT_TRUE(
          random.run(false, got, *list[t], t == 0 ? &pool : nullptr).ok());
      expectSame(random, wanted, got,
                 "seed " + std::to_string(seed) + ", " + list[t]->name);
    }
    planned += random.planned;
  }
  // Most kernels must take the fast way for the comparison to mean anything.
  EXPECT_GT(planned, 480);
}

/// y[i] = y[i - 1] + x[i], with the read one element behind the write.
TEST(Kernel, OverlapRunsInOrder) {
  Kernel kernel;
  kernel.dims = {{100, kNoSlot}};
  kernel.reads = {Access{Type::F32, Space::Scratch, 0, {1}, {}, {}, 0}};
  kernel.writes = {Write{Access{Type::F32, Space::Scratch, 4, {1}, {}, {}, 0},
                         WriteKind::Store, false, 0}};
  kernel.body.ops = {micro(MicroOpcode::ArithAddf, Type::F32, {0, 0})};
  kernel.body.yields = {1};
  std::vector<float> data(101, 0);
  data[0] = 1;
  auto *bytes = reinterpret_cast<std::byte *>(data.data());
  auto prepared = PreparedKernel::prepare(kernel);
  std::vector<int64_t> extents = {100};
  std::vector<const std::byte *> reads = {bytes};
  std::vector<std::byte *> writes = {bytes + 4};
  ASSERT_TRUE(prepared->run({extents, reads, writes, {}}, nullptr).ok());
  EXPECT_EQ(data[100], std::ldexp(1.0f, 100));
}

TEST(Kernel, InPlaceIsFast) {
  Kernel kernel;
  kernel.dims = {{4, kNoSlot}, {300, kNoSlot}};
  kernel.reads = {Access{Type::F32, Space::Scratch, 0, {300, 1}, {}, {}, 0}};
  kernel.writes = {Write{kernel.reads[0], WriteKind::Store, false, 0}};
  kernel.body.ops = {micro(MicroOpcode::ArithNegf, Type::F32, {0}),
                     micro(MicroOpcode::ArithAddf, Type::F32, {1, 0}),
                     micro(MicroOpcode::ArithSubf, Type::F32, {2, 1})};
  kernel.body.yields = {3};
  std::vector<float> data(1200);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = float(i);
  std::vector<float> wanted = data;
  auto *bytes = reinterpret_cast<std::byte *>(data.data());
  auto prepared = PreparedKernel::prepare(kernel);
  EXPECT_FALSE(prepared->isSequential());
  std::vector<int64_t> extents = {4, 300};
  std::vector<const std::byte *> reads = {bytes};
  std::vector<std::byte *> writes = {bytes};
  ASSERT_TRUE(prepared->run({extents, reads, writes, {}}, nullptr).ok());
  EXPECT_EQ(data, wanted);
}

/// Loads whose indices come from coordinates, from computations on them, and
/// from memory, as gathers, pads and resizes have them. Returns how many
/// dimensions the plan's column runs through where strides do not tell it.
static size_t checkTableLoads(unsigned seed) {
  std::mt19937_64 random(seed);
  auto below = [&](int64_t n) { return int64_t(random() % uint64_t(n)); };
  static constexpr int64_t widths[] = {1, 3, 16, 17, 64, 513, 1200};
  static constexpr Type types[] = {Type::F32, Type::F32, Type::I64, Type::F16,
                                   Type::U8};
  Type type = types[below(5)];
  int64_t rank = 1 + below(4);
  Kernel kernel;
  for (int64_t d = 0; d < rank; ++d)
    kernel.dims.push_back(
        {d + 1 == rank ? widths[below(7)] : 1 + below(12), kNoSlot});
  std::vector<int64_t> extents;
  for (const Extent &extent : kernel.dims)
    extents.push_back(extent.max);

  // Reads of indices below 7, with some of the dimensions.
  std::vector<int64_t> numbers(1 << 18);
  for (int64_t &x : numbers)
    x = below(7);
  int64_t reads = below(3);
  for (int64_t r = 0; r < reads; ++r) {
    Access read{Type::I64, Space::Io, 0, {}, {}, {}, 0};
    int64_t stride = 1;
    for (int64_t d = rank; d-- > 0;) {
      bool kept = below(2);
      read.strides.insert(read.strides.begin(), kept ? stride : 0);
      stride *= kept ? extents[size_t(d)] : 1;
    }
    if (stride > int64_t(numbers.size()))
      return 0;
    kernel.reads.push_back(read);
  }
  auto next = uint32_t(reads);
  auto add = [&](MicroOp op) {
    kernel.body.ops.push_back(std::move(op));
    return next++;
  };
  auto constant = [&](int64_t value) {
    return add(
        micro(MicroOpcode::ArithConstant, Type::I64, {}, uint64_t(value)));
  };
  std::vector<uint32_t> loaded;
  int64_t largest = 0;
  int64_t loads = 1 + below(2);
  for (int64_t l = 0; l < loads; ++l) {
    int64_t sizesOfTable[3];
    std::vector<uint32_t> indices;
    int64_t dims = 1 + below(3);
    for (int64_t t = 0; t < dims; ++t) {
      auto d = uint64_t(below(rank));
      int64_t extent = extents[d], size = std::max<int64_t>(extent, 7);
      uint32_t index = add(micro(MicroOpcode::TileIndex, Type::I64, {}, d));
      switch (below(5)) {
      case 0: // from the end
        index = add(micro(MicroOpcode::ArithSubi, Type::I64,
                          {constant(extent - 1), index}));
        break;
      case 1: // in steps, around
        index = add(micro(MicroOpcode::ArithRemsi, Type::I64,
                          {add(micro(MicroOpcode::ArithMuli, Type::I64,
                                     {index, constant(3)})),
                           constant(size)}));
        break;
      case 2:
        if (reads)
          index = uint32_t(below(reads));
        break;
      case 3:
        if (reads) // of two kinds
          index = add(micro(MicroOpcode::ArithMinsi, Type::I64,
                            {index, uint32_t(below(reads))}));
        break;
      default:
        break;
      }
      indices.push_back(index);
      sizesOfTable[t] = size;
    }
    Table table{{type, Space::Const, 0, {}, {}, {}, 0}, {}};
    int64_t stride = 1 + below(2);
    for (int64_t t = dims; t-- > 0;) {
      table.access.strides.insert(table.access.strides.begin(), stride);
      table.sizes.insert(table.sizes.begin(), sizesOfTable[t]);
      stride *= sizesOfTable[t];
    }
    if (stride > 1 << 18)
      return 0;
    largest = std::max(largest, stride);
    kernel.body.tables.push_back(table);
    loaded.push_back(
        add(micro(MicroOpcode::TileLoad, type, indices, uint64_t(l))));
  }
  uint32_t result = loaded[0];
  if (loads == 2 && below(2))
    result = add(
        micro(isFloat(type) ? MicroOpcode::ArithAddf : MicroOpcode::ArithAddi,
              type, {loaded[0], loaded[1]}));
  int64_t stride = 1 + below(2);
  Access to{type, Space::Scratch, 0, {}, {}, {}, 0};
  for (int64_t d = rank; d-- > 0;) {
    to.strides.insert(to.strides.begin(), stride);
    stride *= extents[size_t(d)];
  }
  kernel.writes = {Write{to, WriteKind::Store, false, 0}};
  kernel.body.yields = {result};

  std::vector<std::byte> table(size_t(largest) * sizeOf(type));
  for (size_t i = 0; i < size_t(largest); ++i)
    storeScalar(type, table.data() + i * sizeOf(type),
                fromDouble(type, double(random() % 251)));
  auto *data = reinterpret_cast<const std::byte *>(numbers.data());
  std::vector<const std::byte *> from(size_t(reads), data),
      tables(size_t(loads), table.data());
  auto run = [&](const blocks::Table *set, ThreadPool *pool) {
    std::vector<std::byte> out(size_t(stride) * sizeOf(type));
    std::vector<std::byte *> writes = {out.data()};
    KernelFrame frame{extents, from, writes, tables};
    auto plan = makePlan(kernel, extents);
    Status status = set ? runPlan(kernel, plan.get(), frame, pool, *set)
                        : runReference(kernel, frame);
    EXPECT_TRUE(status.ok()) << status.message();
    return out;
  };
  std::vector<std::byte> wanted = run(nullptr, nullptr);
  ThreadPool pool(2);
  std::vector<const blocks::Table *> list = blocks::tables();
  for (size_t t = 0; t < list.size(); ++t)
    EXPECT_EQ(run(list[t], t == 0 ? &pool : nullptr), wanted)
        << "seed " << seed << ", " << list[t]->name;
  return makePlan(kernel, extents)->columnDims.size();
}

TEST(Kernel, TableLoadsEqualTheReference) {
  size_t ofTwo = 0, ofMore = 0;
  for (unsigned seed = 0; seed < 600 && !HasFailure(); ++seed) {
    size_t dims = checkTableLoads(seed);
    ofTwo += dims == 2;
    ofMore += dims > 2;
  }
  EXPECT_GT(ofTwo, 30u);
  EXPECT_GE(ofMore, 3u);
}

/// A kernel that reads indices into a table of data.
static Status runWithTable(const Kernel &kernel,
                           const std::vector<int64_t> &extents,
                           const std::vector<int64_t> &indices,
                           const std::vector<float> &data,
                           std::vector<float> &out) {
  std::vector<const std::byte *> reads = {
      reinterpret_cast<const std::byte *>(indices.data())};
  std::vector<std::byte *> writes = {reinterpret_cast<std::byte *>(out.data())};
  std::vector<const std::byte *> tables = {
      reinterpret_cast<const std::byte *>(data.data())};
  return PreparedKernel::prepare(kernel)->run({extents, reads, writes, tables},
                                              nullptr);
}

TEST(Kernel, TableLoadsAreChecked) {
  Kernel kernel;
  kernel.dims = {{3, kNoSlot}};
  kernel.reads = {Access{Type::I64, Space::Scratch, 0, {1}, {}, {}, 0}};
  kernel.writes = {Write{Access{Type::F32, Space::Scratch, 0, {1}, {}, {}, 0},
                         WriteKind::Store, false, 0}};
  kernel.body.tables = {
      {Access{Type::F32, Space::Const, 0, {1}, {}, {}, 0}, {4}}};
  kernel.body.ops = {micro(MicroOpcode::TileLoad, Type::F32, {0}, 0)};
  kernel.body.yields = {1};
  std::vector<float> data = {10, 11, 12, 13}, out(3);
  std::vector<int64_t> indices = {3, 0, 2}, extents = {3};
  auto run = [&] { return runWithTable(kernel, extents, indices, data, out); };
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(out, (std::vector<float>{13, 10, 12}));
  indices[1] = 4;
  EXPECT_EQ(run().message(),
            "index 4 is out of range, the dimension has 4 elements");
}

/// Rows of 6 that share tiles: y[n, i, j] = table[n, places[i], j].
TEST(Kernel, TableLoadsAreCheckedInSharedTiles) {
  constexpr int64_t images = 9, rows = 12, columns = 6;
  auto f32 = [](std::vector<int64_t> strides) {
    return Access{Type::F32, Space::Scratch, 0, std::move(strides), {}, {}, 0};
  };
  Kernel kernel;
  kernel.dims = {{images, kNoSlot}, {rows, kNoSlot}, {columns, kNoSlot}};
  kernel.reads = {Access{Type::I64, Space::Scratch, 0, {0, 1, 0}, {}, {}, 0}};
  kernel.writes = {
      Write{f32({rows * columns, columns, 1}), WriteKind::Store, false, 0}};
  kernel.body.tables = {
      {f32({rows * columns, columns, 1}), {images, rows, columns}}};
  kernel.body.ops = {micro(MicroOpcode::TileIndex, Type::I64, {}, 0),
                     micro(MicroOpcode::TileIndex, Type::I64, {}, 2),
                     micro(MicroOpcode::TileLoad, Type::F32, {1, 0, 2}, 0)};
  kernel.body.yields = {3};
  std::vector<int64_t> extents = {images, rows, columns}, places(rows);
  ASSERT_EQ(makePlan(kernel, extents)->columnDims.size(), 2u);
  std::vector<float> data(images * rows * columns), out(data.size());
  std::iota(data.begin(), data.end(), 0.f);
  auto run = [&] { return runWithTable(kernel, extents, places, data, out); };
  for (int64_t i = 0; i < rows; ++i)
    places[size_t(i)] = i * 5 % rows;
  ASSERT_TRUE(run().ok());
  for (size_t k = 0; k < out.size(); ++k) {
    size_t i = k / columns % rows, start = k - i * columns;
    ASSERT_EQ(out[k], data[start + size_t(places[i]) * columns]);
  }
  places[7] = -1;
  EXPECT_EQ(run().message(),
            "index -1 is out of range, the dimension has 12 elements");
}
