//===- Nest.cpp - addresses and loop nests of instructions ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Nest.h"

#include "mho/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace mho {

isa::Type unsignedOf(isa::Type type) {
  switch (type) {
  case isa::Type::I2:
    return isa::Type::U2;
  case isa::Type::I4:
    return isa::Type::U4;
  case isa::Type::I8:
    return isa::Type::U8;
  case isa::Type::I16:
    return isa::Type::U16;
  case isa::Type::I32:
    return isa::Type::U32;
  case isa::Type::I64:
    return isa::Type::U64;
  default:
    return type;
  }
}

uint64_t bitsOf(TypedAttr value) {
  if (auto number = dyn_cast<FloatAttr>(value))
    return number.getValue().bitcastToAPInt().getZExtValue();
  return cast<IntegerAttr>(value).getValue().getZExtValue();
}

void LinearForm::add(const LinearForm &other, int64_t factor) {
  constant += factor * other.constant;
  for (const isa::SlotTerm &term : other.terms) {
    auto same = llvm::find_if(terms, [&](const isa::SlotTerm &mine) {
      return mine.slot == term.slot;
    });
    if (same == terms.end())
      terms.push_back({term.slot, factor * term.stride});
    else
      same->stride += factor * term.stride;
  }
  llvm::erase_if(terms,
                 [](const isa::SlotTerm &term) { return term.stride == 0; });
}

/// The strides of a buffer. Those of a view's type are open where an extent of
/// run time could be one, which leaves them as they are: what the view shows
/// tells them.
static FailureOr<SmallVector<int64_t>> stridesOf(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t ignored;
  SmallVector<int64_t> strides;
  if (failed(type.getStridesAndOffset(strides, ignored)))
    return failure();
  // Nothing steps along an axis of one.
  for (auto [stride, extent] : llvm::zip(strides, type.getShape()))
    if (extent == 1 && ShapedType::isDynamic(stride))
      stride = 0;
  auto view = buffer.getDefiningOp<ViewLikeOpInterface>();
  if (!view || llvm::none_of(strides, ShapedType::isDynamic))
    return strides;
  auto from = stridesOf(view.getViewSource());
  if (failed(from))
    return failure();
  auto source = cast<MemRefType>(view.getViewSource().getType());
  if (llvm::isa<memref::CastOp>(*view))
    return from;
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(*view)) {
    for (auto [stride, group] :
         llvm::zip_equal(strides, collapse.getReassociationIndices())) {
      stride = 0;
      for (int64_t dim : group)
        if (source.getDimSize(dim) != 1)
          stride = (*from)[dim];
    }
    return strides;
  }
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(*view)) {
    for (auto [i, group] : llvm::enumerate(expand.getReassociationIndices())) {
      int64_t stride = (*from)[i];
      for (int64_t dim : llvm::reverse(group)) {
        int64_t extent = type.getDimSize(dim);
        if (extent == 1)
          continue;
        strides[dim] = stride;
        if (ShapedType::isDynamic(stride) || ShapedType::isDynamic(extent))
          stride = ShapedType::kDynamic;
        else
          stride *= extent;
      }
    }
    return strides;
  }
  if (auto subview = dyn_cast<memref::SubViewOp>(*view)) {
    strides.clear();
    llvm::SmallBitVector dropped = subview.getDroppedDims();
    for (auto [dim, step] : llvm::enumerate(subview.getStaticStrides()))
      if (!dropped.test(dim))
        strides.push_back(ShapedType::isDynamic((*from)[dim]) ||
                                  ShapedType::isDynamic(step)
                              ? ShapedType::kDynamic
                              : (*from)[dim] * step);
  }
  return strides;
}

/// Where a view begins in its root, in elements, and that root.
static FailureOr<std::pair<LinearForm, Value>>
offsetOf(Value buffer, const RuntimeViews &views) {
  LinearForm offset;
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
    auto known = views.find(view);
    Value source = view.getViewSource();
    auto type = cast<MemRefType>(buffer.getType());
    auto from = cast<MemRefType>(source.getType());
    int64_t begin, end;
    SmallVector<int64_t> ignored;
    auto along = stridesOf(source);
    if (failed(along) || failed(from.getStridesAndOffset(ignored, begin)) ||
        failed(type.getStridesAndOffset(ignored, end)))
      return failure();
    if (known != views.end() && !known->second.offsets.empty()) {
      for (auto [form, stride] :
           llvm::zip_equal(known->second.offsets, *along)) {
        if (ShapedType::isDynamic(stride) &&
            (form.constant != 0 || !form.terms.empty()))
          return failure();
        offset.add(form, stride);
      }
    } else if (!ShapedType::isDynamic(begin) && !ShapedType::isDynamic(end)) {
      offset.constant += end - begin;
    } else if (auto subview = dyn_cast<memref::SubViewOp>(*view)) {
      for (auto [number, stride] :
           llvm::zip_equal(subview.getStaticOffsets(), *along)) {
        if (ShapedType::isDynamic(number) ||
            (number != 0 && ShapedType::isDynamic(stride)))
          return failure();
        offset.constant += number * stride;
      }
    } else if (!llvm::isa<memref::CollapseShapeOp, memref::ExpandShapeOp,
                          memref::CastOp>(*view)) {
      return failure();
    }
    buffer = source;
  }
  return std::pair(offset, buffer);
}

/// The extents of a buffer; failure where one is computed in a way that is not
/// followed.
static FailureOr<SmallVector<isa::Extent>> shapeOf(Value buffer,
                                                   const RuntimeViews &views) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<isa::Extent> shape;
  for (int64_t extent : type.getShape())
    shape.push_back({extent, isa::kNoSlot});
  if (type.hasStaticShape())
    return shape;
  Operation *view = buffer.getDefiningOp();
  if (!view)
    return failure();
  if (auto known = views.find(view);
      known != views.end() && !known->second.extents.empty())
    return known->second.extents;
  // Where a bounded dimension is alone in its group it stays what it is.
  auto follow = [&](Value source, ArrayRef<ReassociationIndices> groups,
                    bool collapses) -> LogicalResult {
    auto from = shapeOf(source, views);
    if (failed(from))
      return failure();
    ArrayRef<int64_t> wide = collapses
                                 ? cast<MemRefType>(source.getType()).getShape()
                                 : type.getShape();
    for (auto [i, group] : llvm::enumerate(groups)) {
      int64_t bounded = -1;
      for (int64_t dim : group)
        if (ShapedType::isDynamic(wide[dim])) {
          if (bounded >= 0)
            return failure();
          bounded = dim;
        } else if (wide[dim] != 1 &&
                   ShapedType::isDynamic(
                       (collapses ? type.getShape()
                                  : cast<MemRefType>(source.getType())
                                        .getShape())[i])) {
          return failure();
        }
      if (bounded >= 0)
        shape[collapses ? int64_t(i) : bounded] =
            (*from)[collapses ? bounded : int64_t(i)];
    }
    return success();
  };
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(view)) {
    if (failed(follow(collapse.getSrc(), collapse.getReassociationIndices(),
                      true)))
      return failure();
    return shape;
  }
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(view)) {
    if (failed(
            follow(expand.getSrc(), expand.getReassociationIndices(), false)))
      return failure();
    return shape;
  }
  if (auto cast = dyn_cast<memref::CastOp>(view)) {
    auto from = shapeOf(cast.getSource(), views);
    if (failed(from))
      return failure();
    return *from;
  }
  return failure();
}

FailureOr<Place> Places::of(Value buffer, Operation *user,
                            const RuntimeViews &views) const {
  auto type = cast<MemRefType>(buffer.getType());
  Place place;
  auto offset = offsetOf(buffer, views);
  auto shape = shapeOf(buffer, views);
  auto strides = stridesOf(buffer);
  if (failed(offset) || failed(shape) || failed(strides) ||
      llvm::any_of(*strides, ShapedType::isDynamic))
    return user->emitOpError("a buffer has no fixed extents and strides: ")
           << type;
  std::optional<isa::Type> element = tile::elementTypeOf(type.getElementType());
  if (!element)
    return user->emitOpError("elements of type ")
           << type.getElementType() << " have no place in memory";
  place.shape = *shape;
  place.access.type = *element;
  place.access.strides.assign(strides->begin(), strides->end());
  place.access.slots.assign(offset->first.terms.begin(),
                            offset->first.terms.end());

  Value root = offset->second;
  IntegerAttr base;
  if (auto arg = dyn_cast<BlockArgument>(root)) {
    if (auto func = dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp()))
      base = func.getArgAttrOfType<IntegerAttr>(arg.getArgNumber(),
                                                tile::kOffsetAttr);
    place.access.space = isa::Space::Io;
  } else if (auto get = root.getDefiningOp<memref::GetGlobalOp>()) {
    if (auto global = globals.lookup(get.getNameAttr().getAttr()))
      base = global->getAttrOfType<IntegerAttr>(tile::kOffsetAttr);
    place.access.space = isa::Space::Const;
  } else if (auto alloc = root.getDefiningOp<memref::AllocOp>()) {
    base = alloc->getAttrOfType<IntegerAttr>(tile::kOffsetAttr);
    auto space = alloc->getAttrOfType<StringAttr>(tile::kSpaceAttr);
    place.access.space = space && space.getValue() == "io"
                             ? isa::Space::Io
                             : isa::Space::Scratch;
  } else {
    return user->emitOpError("the address of a buffer depends on control flow "
                             "(an internal error)");
  }
  if (!base)
    return user->emitOpError("a buffer has no planned place (run "
                             "tile-plan-memory before)");
  place.access.offset =
      base.getInt() + offset->first.constant * int64_t(isa::sizeOf(*element));
  return place;
}

//===----------------------------------------------------------------------===//
// Nest
//===----------------------------------------------------------------------===//

Nest::Nest(ArrayRef<isa::Extent> extents)
    : extents(extents), groups(extents.size(), 0),
      pinned(extents.size(), false),
      dims(llvm::to_vector(llvm::seq<int>(0, extents.size()))) {}

/// Calls `f` with every list of numbers per dim of an access.
static void forEachRow(isa::Access &access,
                       llvm::function_ref<void(std::vector<int64_t> &)> f) {
  f(access.strides);
  for (isa::ValidRange &range : access.valid)
    f(range.coefficients);
}

void Nest::shorten() {
  auto remove = [&](size_t dim) {
    extents.erase(extents.begin() + dim);
    groups.erase(groups.begin() + dim);
    pinned.erase(pinned.begin() + dim);
    for (isa::Access &access : accesses)
      forEachRow(access, [&](std::vector<int64_t> &row) {
        row.erase(row.begin() + dim);
      });
    for (int &place : dims) {
      if (place == int(dim))
        place = -1;
      else if (place > int(dim))
        --place;
    }
  };
  for (size_t dim = extents.size(); dim-- > 0;)
    if (extents[dim] == isa::Extent{1, isa::kNoSlot})
      remove(dim);
  for (size_t dim = extents.size(); dim-- > 1;) {
    size_t outer = dim - 1;
    if (groups[outer] != groups[dim] || pinned[outer] || pinned[dim] ||
        extents[outer].slot != isa::kNoSlot ||
        extents[dim].slot != isa::kNoSlot)
      continue;
    bool asOne = true;
    for (isa::Access &access : accesses)
      forEachRow(access, [&](std::vector<int64_t> &row) {
        asOne &= row[outer] == row[dim] * extents[dim].max;
      });
    if (!asOne)
      continue;
    extents[dim].max *= extents[outer].max;
    remove(outer);
  }
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

/// Adds factor · expr to the coefficients; false where it is not linear.
static bool addLinear(AffineExpr expr, int64_t factor,
                      std::vector<int64_t> &coefficients, int64_t &constant) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    coefficients[dim.getPosition()] += factor;
    return true;
  }
  if (auto number = dyn_cast<AffineConstantExpr>(expr)) {
    constant += factor * number.getValue();
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), factor, coefficients, constant) &&
           addLinear(binary.getRHS(), factor, coefficients, constant);
  auto scale = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (expr.getKind() != AffineExprKind::Mul || !scale)
    return false;
  return addLinear(binary.getLHS(), factor * scale.getValue(), coefficients,
                   constant);
}

FailureOr<isa::Access> through(const Place &place, AffineMap map) {
  isa::Access access = place.access;
  access.strides.assign(map.getNumDims(), 0);
  int64_t constant = 0;
  for (auto [axis, expr] : llvm::enumerate(map.getResults()))
    if (!addLinear(expr, place.access.strides[axis], access.strides, constant))
      return failure();
  access.offset += constant * int64_t(isa::sizeOf(access.type));
  return access;
}

} // namespace mho
