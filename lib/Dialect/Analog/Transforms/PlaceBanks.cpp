//===- PlaceBanks.cpp - cut matrices, give every op a unit ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plans all banks first (so that a model too large for the chip is refused
// before anything is rewritten), then replaces each analog.matmul by one
// analog.mvm per unit and gives every other op its unit.
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Analog/IR/Placement.h"
#include "mho/Dialect/Analog/Transforms/Passes.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/RunTimeExtents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mho;

namespace mho {
#define GEN_PASS_DEF_PLACEBANKS
#include "mho/Dialect/Analog/Transforms/Passes.h.inc"
} // namespace mho

namespace {

/// The fewest equal parts of [0, extent) of at most `limit` each: their
/// borders, first 0, last `extent`; the larger parts come first.
SmallVector<int64_t> splitEvenly(int64_t extent, int64_t limit) {
  int64_t parts = llvm::divideCeil(extent, limit);
  SmallVector<int64_t> borders{0};
  for (int64_t part = 0; part < parts; ++part)
    borders.push_back(borders.back() + extent / parts +
                      (part < extent % parts));
  return borders;
}

/// Columns, of which each `group` in a row stays in one part where that takes
/// no more parts.
SmallVector<int64_t> splitColumns(int64_t columns, int64_t group,
                                  int64_t limit) {
  SmallVector<int64_t> borders = splitEvenly(columns, limit);
  if (group == 1 || group > limit)
    return borders;
  SmallVector<int64_t> whole = splitEvenly(columns / group, limit / group);
  if (whole.size() > borders.size())
    return borders;
  for (int64_t &border : whole)
    border *= group;
  return whole;
}

/// The constant attribute behind a value; null where there is none.
ElementsAttr constantOf(Value value) {
  ElementsAttr elements;
  if (value)
    matchPattern(value, m_Constant(&elements));
  return elements;
}

struct Place {
  int32_t unit = 0, array = 0, tier = 0;
};

/// One bank to be: its matrix, its cuts, its places.
struct BankPlan {
  std::string name;
  Location loc;
  ElementsAttr weights, scale, shift;
  analog::ViewAttr view;
  analog::EncodingAttr encoding;
  SmallVector<int64_t> rowSplits, colSplits;
  SmallVector<Place> places;

  int64_t rowBlocks() const { return rowSplits.size() - 1; }
  int64_t colBlocks() const { return colSplits.size() - 1; }
  const Place &place(int64_t row, int64_t column) const {
    return places[row * colBlocks() + column];
  }
};

class Placer {
public:
  Placer(ModuleOp module, func::FuncOp main, const ChipModel &chip)
      : module(module), main(main), chip(chip), arrayKind(chip.arrayKind()),
        ioKind(chip.ioKind()) {
    unitOfKind(ioKind, 0);
  }

  LogicalResult run() {
    main.walk([&](analog::MatmulOp op) { matmuls.push_back(op); });
    for (analog::MatmulOp op : matmuls)
      if (failed(plan(op)))
        return failure();
    if (failed(checkCapacity()))
      return failure();
    allocate();
    createBanks();
    main.front().walk([&](Operation *op) {
      if (!analog::isRepeated(op) && !isa<analog::MatmulOp, func::ReturnOp>(op))
        setUnit(op, 0);
    });
    for (analog::MatmulOp op : matmuls)
      lower(op);
    Builder builder(module.getContext());
    module->setAttr(analog::kUnitsAttr, builder.getArrayAttr(units));
    module->setAttr(analog::kChipAttr, builder.getStringAttr(chip.name()));
    return success();
  }

private:
  //===--- planning
  //--------------------------------------------------------===//

  LogicalResult plan(analog::MatmulOp op) {
    ElementsAttr weights = constantOf(op.getW());
    if (!weights)
      return op.emitError("weights of '") << op.getSym() << "' are no constant";
    ElementsAttr scale = constantOf(op.getScale());
    ElementsAttr shift = constantOf(op.getShift());
    Key key{weights, op.getView(), op.getEncoding(), scale, shift};
    auto [found, inserted] = bankOf.try_emplace(key, banks.size());
    planOf[op] = found->second;
    if (!inserted)
      return success();
    std::string name = op.getSym().str();
    for (unsigned suffix = 1; !names.insert(name).second; ++suffix)
      name = op.getSym().str() + "." + std::to_string(suffix);
    banks.push_back(
        {name,
         op.getLoc(),
         weights,
         scale,
         shift,
         op.getView(),
         op.getEncoding(),
         splitEvenly(op.getView().getNumRows(), chip.arrayRows()),
         splitColumns(op.getView().getNumColumns(),
                      op.getView().getColumnGroup(), chip.arrayColumns()),
         {}});
    return success();
  }

  LogicalResult checkCapacity() {
    std::optional<int64_t> capacity = chip.totalArrays();
    int64_t needed = 0;
    for (const BankPlan &bank : banks)
      needed += bank.rowBlocks() * bank.colBlocks();
    if (!capacity || needed <= *capacity)
      return success();
    SmallVector<const BankPlan *> order;
    for (const BankPlan &bank : banks)
      order.push_back(&bank);
    // Plans lie in program order, so their addresses break ties.
    llvm::sort(order, [](const BankPlan *a, const BankPlan *b) {
      return std::pair(-a->rowBlocks() * a->colBlocks(), a) <
             std::pair(-b->rowBlocks() * b->colBlocks(), b);
    });
    InFlightDiagnostic error = mlir::emitError(main.getLoc())
                               << "the model needs " << needed << " arrays of "
                               << chip.arrayRows() << "x" << chip.arrayColumns()
                               << ", target '" << chip.name() << "' has "
                               << *capacity << "; largest layers: ";
    for (auto [i, bank] : llvm::enumerate(ArrayRef(order).take_front(5)))
      error << (i ? ", '" : "'") << bank->name << "' ("
            << bank->view.getNumRows() << "x" << bank->view.getNumColumns()
            << ", " << bank->rowBlocks() * bank->colBlocks() << ")";
    error << "; choose a larger target (--target=ideal holds any model) or a "
             "smaller model";
    return failure();
  }

  /// Blocks take arrays in order, the row blocks of a column side by side, so
  /// that partial sums travel to a neighbour.
  void allocate() {
    int64_t next = 0;
    for (BankPlan &bank : banks) {
      bank.places.resize(bank.rowBlocks() * bank.colBlocks());
      for (int64_t column = 0; column < bank.colBlocks(); ++column)
        for (int64_t row = 0; row < bank.rowBlocks(); ++row, ++next) {
          Place &place = bank.places[row * bank.colBlocks() + column];
          auto perUnit = chip.arraysPerUnit(arrayKind);
          place.unit = unitOfKind(arrayKind, perUnit ? next / *perUnit : 0);
          place.array = perUnit ? next % *perUnit : next;
        }
    }
  }

  /// The unit number of the `index`-th unit of a kind, listed on first use.
  int32_t unitOfKind(unsigned kind, int64_t index) {
    auto [found, inserted] =
        unitNumbers.try_emplace({kind, index}, units.size());
    if (inserted) {
      Builder builder(module.getContext());
      units.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("kind",
                                builder.getStringAttr(chip.kindName(kind))),
           builder.getNamedAttr("index", builder.getI32IntegerAttr(index))}));
      unitKinds.push_back(kind);
    }
    return found->second;
  }

  void createBanks() {
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    for (const BankPlan &bank : banks) {
      SmallVector<int32_t> places;
      for (const Place &place : bank.places)
        llvm::append_values(places, place.unit, place.array, place.tier);
      analog::BankOp::create(builder, bank.loc, bank.name, StringAttr(),
                             bank.weights, bank.view, bank.encoding, bank.scale,
                             bank.shift, bank.rowSplits, bank.colSplits, places,
                             FloatAttr(), DenseF32ArrayAttr());
    }
  }

  //===--- lowering
  //--------------------------------------------------------===//

  void setUnit(Operation *op, int32_t unit) {
    op->setAttr(analog::kOpUnitAttr,
                IntegerAttr::get(IntegerType::get(op->getContext(), 32), unit));
  }

  int32_t unitOf(Value value) {
    if (Operation *op = value.getDefiningOp())
      if (auto unit = op->getAttrOfType<IntegerAttr>(analog::kOpUnitAttr))
        return unit.getInt();
    return 0;
  }

  /// Adds the part of `op` that rows [rowBegin, rowEnd) × columns [colBegin,
  /// colEnd) of its bank give, on one unit.
  Value createMvm(OpBuilder &builder, analog::MatmulOp op, const BankPlan &bank,
                  int64_t rowBegin, int64_t rowEnd, int64_t colBegin,
                  int64_t colEnd) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getY().getType());
    SmallVector<int64_t> shape(type.getShape());
    shape.back() = bank.colSplits[colEnd] - bank.colSplits[colBegin];
    Value x = op.getX();
    int64_t rows = bank.rowSplits[rowEnd] - bank.rowSplits[rowBegin];
    if (!op.getWindow() && rows != bank.view.getNumRows())
      x = sliceLast(builder, loc, x, bank.rowSplits[rowBegin], rows, unitOf(x));
    Value empty = tensor::EmptyOp::create(
        builder, loc,
        productSizes(builder, op,
                     RankedTensorType::get(shape, type.getElementType())),
        type.getElementType());
    auto mvm = analog::MvmOp::create(
        builder, loc,
        TypeRange{RankedTensorType::get(shape, type.getElementType())},
        bank.name, x, empty, rowBegin, rowEnd, colBegin, colEnd,
        op.getWindowAttr(),
        /*accumulate=*/false, /*shift=*/rowEnd == bank.rowBlocks());
    setUnit(mvm, bank.place(rowBegin, colBegin).unit);
    return mvm.getResult(0);
  }

  /// The extents of (columns of) the product: those of run time are x's, or as
  /// many as there are windows along them.
  SmallVector<OpFoldResult>
  productSizes(OpBuilder &builder, analog::MatmulOp op, RankedTensorType type) {
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, type, op.getX());
    if (auto window = op.getWindow())
      for (size_t i = 0, spatial = window->getKernel().size(); i < spatial; ++i)
        if (auto extent = dyn_cast<Value>(sizes[i + 1]))
          sizes[i + 1] = graph::windowPositions(
              builder, loc, extent, window->getKernel()[i],
              window->getStrides()[i], window->getDilations()[i],
              window->getPads()[i], window->getPads()[spatial + i]);
    return sizes;
  }

  SmallVector<OpFoldResult> sizesOf(OpBuilder &builder, Location loc,
                                    RankedTensorType type, Value x) {
    SmallVector<OpFoldResult> sizes;
    for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
      if (!ShapedType::isDynamic(extent)) {
        sizes.push_back(builder.getIndexAttr(extent));
        continue;
      }
      auto dim = tensor::DimOp::create(builder, loc, x, int64_t(axis));
      setUnit(dim, unitOf(x));
      sizes.push_back(dim.getResult());
    }
    return sizes;
  }

  Value sliceLast(OpBuilder &builder, Location loc, Value x, int64_t begin,
                  int64_t size, int32_t unit) {
    auto type = cast<RankedTensorType>(x.getType());
    auto known = std::tuple(x, begin, size, builder.getBlock());
    if (Value slice = slices.lookup(known))
      return slice;
    SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0));
    SmallVector<OpFoldResult> steps(type.getRank(), builder.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, type, x);
    offsets.back() = builder.getIndexAttr(begin);
    sizes.back() = builder.getIndexAttr(size);
    auto slice =
        tensor::ExtractSliceOp::create(builder, loc, x, offsets, sizes, steps);
    setUnit(slice, unit);
    slices[known] = slice;
    return slice;
  }

  /// The element-wise ops behind `value`, as far as each is the only user of
  /// the one before and a unit kind other than io has it.
  SmallVector<std::pair<Operation *, unsigned>> followers(Value value) {
    SmallVector<std::pair<Operation *, unsigned>> chain;
    unsigned kind = arrayKind;
    while (value.hasOneUse()) {
      Operation *user = *value.getUsers().begin();
      if (user->getBlock() != value.getParentBlock() ||
          !user->hasTrait<OpTrait::SameOperandsAndResultType>() ||
          !user->hasTrait<graph::ElementwiseTrait>() ||
          user->getNumOperands() != 1)
        break;
      StringRef name = user->getName().stripDialect();
      if (!chip.supports(kind, name)) {
        auto other = llvm::find_if(
            llvm::seq<unsigned>(0, chip.numKinds()), [&](unsigned candidate) {
              return candidate != ioKind && chip.supports(candidate, name);
            });
        if (other == llvm::seq<unsigned>(0, chip.numKinds()).end())
          break;
        kind = *other;
      }
      chain.emplace_back(user, kind);
      value = user->getResult(0);
    }
    return chain;
  }

  void lower(analog::MatmulOp op) {
    OpBuilder builder(op);
    const BankPlan &bank = banks[planOf[op]];
    if (arrayKind == ioKind) {
      Value whole = createMvm(builder, op, bank, 0, bank.rowBlocks(), 0,
                              bank.colBlocks());
      op.replaceAllUsesWith(whole);
      op.erase();
      return;
    }
    auto chain = followers(op.getY());
    Operation *last = chain.empty() ? op.getOperation() : chain.back().first;
    builder.setInsertionPoint(last);
    Value whole;
    auto type = cast<RankedTensorType>(op.getY().getType());
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> sizes;
    if (bank.colBlocks() > 1) {
      sizes = productSizes(builder, op, type);
      whole =
          tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
    }
    for (int64_t column = 0; column < bank.colBlocks(); ++column) {
      Value sum;
      for (int64_t row = 0; row < bank.rowBlocks(); ++row) {
        Value part =
            createMvm(builder, op, bank, row, row + 1, column, column + 1);
        if (sum) {
          auto add =
              graph::AddOp::create(builder, loc, part.getType(), sum, part);
          setUnit(add, unitOf(part));
          part = add;
        }
        sum = part;
      }
      int32_t home = unitOf(sum);
      for (auto [follower, kind] : chain) {
        if (unitKinds[home] != kind)
          home = unitOfKind(kind, column % chip.unitCount(kind).value_or(1));
        OperationState state(follower->getLoc(), follower->getName(), {sum},
                             {sum.getType()}, follower->getAttrs());
        Operation *copy = builder.create(state);
        setUnit(copy, home);
        sum = copy->getResult(0);
      }
      if (bank.colBlocks() == 1) {
        whole = sum;
        break;
      }
      SmallVector<OpFoldResult> offsets(type.getRank(),
                                        builder.getIndexAttr(0));
      SmallVector<OpFoldResult> steps(type.getRank(), builder.getIndexAttr(1));
      sizes.back() = builder.getIndexAttr(bank.colSplits[column + 1] -
                                          bank.colSplits[column]);
      offsets.back() = builder.getIndexAttr(bank.colSplits[column]);
      auto insert = tensor::InsertSliceOp::create(builder, loc, sum, whole,
                                                  offsets, sizes, steps);
      setUnit(insert, 0);
      whole = insert;
    }
    last->getResult(0).replaceAllUsesWith(whole);
    for (auto [follower, kind] : llvm::reverse(chain))
      follower->erase();
    op.erase();
  }

  using Key = std::tuple<Attribute, Attribute, Attribute, Attribute, Attribute>;

  ModuleOp module;
  func::FuncOp main;
  const ChipModel &chip;
  unsigned arrayKind, ioKind;
  SmallVector<analog::MatmulOp> matmuls;
  std::vector<BankPlan> banks;
  std::map<Key, size_t, decltype([](const Key &a, const Key &b) {
             auto pointers = [](const Key &key) {
               return std::apply(
                   [](auto... part) {
                     return std::array{part.getAsOpaquePointer()...};
                   },
                   key);
             };
             return pointers(a) < pointers(b);
           })>
      bankOf;
  DenseMap<Operation *, size_t> planOf;
  llvm::StringSet<> names;
  std::map<std::pair<unsigned, int64_t>, int32_t> unitNumbers;
  SmallVector<Attribute> units;
  SmallVector<unsigned> unitKinds;
  DenseMap<std::tuple<Value, int64_t, int64_t, Block *>, Value> slices;
};

struct PlaceBanks : mho::impl::PlaceBanksBase<PlaceBanks> {
  using Base::Base;
  PlaceBanks(std::shared_ptr<const ChipModel> model)
      : model(std::move(model)) {}

  LogicalResult initialize(MLIRContext *context) override {
    if (model)
      return success();
    auto read = ChipModel::read(chip);
    if (!read.ok())
      return emitError(UnknownLoc::get(context), read.message());
    model = *read;
    return success();
  }

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(Placer(getOperation(), function, *model).run()))
        return signalPassFailure();
  }

  std::shared_ptr<const ChipModel> model;
};

} // namespace

std::unique_ptr<Pass>
mho::createPlaceBanksPass(std::shared_ptr<const ChipModel> chip) {
  return std::make_unique<PlaceBanks>(std::move(chip));
}
