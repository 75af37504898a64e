//===- Expression.h - formulas of graph ops ---------------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operators that are compositions are written as the formula in ONNX's text;
// every operation builds one graph op and broadcasts. Floats narrower than f32
// are widened by `wide` where the formula begins, and rounded once at its end.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_EXPRESSION_H
#define MHO_LIB_IMPORT_ONNX_EXPRESSION_H

#include "Node.h"

namespace mho::import {

class Expr {
public:
  Expr(Node &n, mlir::Value value) : n(&n), value(value) {}
  operator mlir::Value() const { return value; }

  Node &node() const { return *n; }
  mlir::Type element() const { return n->element(value); }
  Dims shape() const { return n->shape(value); }
  int64_t rank() const { return shape().size(); }
  bool isFloat() const { return llvm::isa<mlir::FloatType>(element()); }

  /// A number of this value's type.
  Expr like(double number) const { return {*n, n->scalar(element(), number)}; }
  Expr as(mlir::Type type) const { return {*n, n->cast(value, type)}; }
  Expr reshape(llvm::ArrayRef<int64_t> to) const {
    return {*n, n->reshape(value, to)};
  }
  Expr transpose(llvm::ArrayRef<int64_t> perm) const {
    return {*n, n->transpose(value, perm)};
  }
  /// Elements from, from + 1, … of an axis.
  Expr slice(int64_t axis, int64_t from, int64_t count) const;
  Expr expand(llvm::ArrayRef<int64_t> to) const;

  template <typename OpTy> Expr unary() const {
    return {*n, n->make<OpTy>(value.getType(), value)};
  }
  template <typename OpTy> Expr binary(Expr other) const {
    return {*n, n->binary<OpTy>(value, other.value)};
  }
  template <typename OpTy> Expr test(Expr other) const {
    return {*n, n->binary<OpTy>(value, other.value, n->b.getI1Type())};
  }
  template <typename OpTy>
  Expr reduce(llvm::ArrayRef<int64_t> axes, bool keepdims) const {
    return {*n,
            n->make<OpTy>(reducedType(axes, keepdims), value,
                          n->b.getDenseI64ArrayAttr(axes),
                          keepdims ? n->b.getUnitAttr() : mlir::UnitAttr())};
  }

private:
  mlir::RankedTensorType reducedType(llvm::ArrayRef<int64_t> axes,
                                     bool keepdims) const;

  Node *n;
  mlir::Value value;
};

/// `x` in the type that formulas are computed in.
Expr wide(Node &n, mlir::Value x);

inline Expr operator+(Expr a, Expr b) { return a.binary<graph::AddOp>(b); }
inline Expr operator-(Expr a, Expr b) { return a.binary<graph::SubOp>(b); }
inline Expr operator*(Expr a, Expr b) { return a.binary<graph::MulOp>(b); }
inline Expr operator/(Expr a, Expr b) { return a.binary<graph::DivOp>(b); }
inline Expr operator+(Expr a, double b) { return a + a.like(b); }
inline Expr operator-(Expr a, double b) { return a - a.like(b); }
inline Expr operator*(Expr a, double b) { return a * a.like(b); }
inline Expr operator/(Expr a, double b) { return a / a.like(b); }
inline Expr operator+(double a, Expr b) { return b.like(a) + b; }
inline Expr operator-(double a, Expr b) { return b.like(a) - b; }
inline Expr operator*(double a, Expr b) { return b.like(a) * b; }
inline Expr operator/(double a, Expr b) { return b.like(a) / b; }
inline Expr operator-(Expr a) { return a.unary<graph::NegOp>(); }

inline Expr operator<(Expr a, Expr b) { return a.test<graph::LessOp>(b); }
inline Expr operator>(Expr a, Expr b) { return a.test<graph::GreaterOp>(b); }
inline Expr operator<=(Expr a, Expr b) {
  return a.test<graph::LessOrEqualOp>(b);
}
inline Expr operator>=(Expr a, Expr b) {
  return a.test<graph::GreaterOrEqualOp>(b);
}
inline Expr operator==(Expr a, Expr b) { return a.test<graph::EqualOp>(b); }
inline Expr operator<(Expr a, double b) { return a < a.like(b); }
inline Expr operator>(Expr a, double b) { return a > a.like(b); }
inline Expr operator<=(Expr a, double b) { return a <= a.like(b); }
inline Expr operator>=(Expr a, double b) { return a >= a.like(b); }
inline Expr operator==(Expr a, double b) { return a == a.like(b); }
inline Expr operator&&(Expr a, Expr b) { return a.binary<graph::AndOp>(b); }
inline Expr operator||(Expr a, Expr b) { return a.binary<graph::OrOp>(b); }
inline Expr operator!(Expr a) { return a.unary<graph::NotOp>(); }

inline Expr abs(Expr x) { return x.unary<graph::AbsOp>(); }
inline Expr exp(Expr x) { return x.unary<graph::ExpOp>(); }
inline Expr log(Expr x) { return x.unary<graph::LogOp>(); }
inline Expr sqrt(Expr x) { return x.unary<graph::SqrtOp>(); }
inline Expr tanh(Expr x) { return x.unary<graph::TanhOp>(); }
inline Expr erf(Expr x) { return x.unary<graph::ErfOp>(); }
inline Expr floor(Expr x) { return x.unary<graph::FloorOp>(); }
inline Expr ceil(Expr x) { return x.unary<graph::CeilOp>(); }
inline Expr round(Expr x) { return x.unary<graph::RoundOp>(); }
inline Expr isNan(Expr x) { return !(x == x); }
inline Expr sigmoid(Expr x) { return x.unary<graph::SigmoidOp>(); }
inline Expr pow(Expr x, double p) { return x.binary<graph::PowOp>(x.like(p)); }
inline Expr max(Expr a, Expr b) { return a.binary<graph::MaxOp>(b); }
inline Expr min(Expr a, Expr b) { return a.binary<graph::MinOp>(b); }
inline Expr max(Expr a, double b) { return max(a, a.like(b)); }
inline Expr min(Expr a, double b) { return min(a, a.like(b)); }
inline Expr clamp(Expr x, double low, double high) {
  return min(max(x, low), high);
}
/// a where the condition holds, else b; all broadcast.
Expr where(Expr condition, Expr a, Expr b);
inline Expr where(Expr condition, Expr a, double b) {
  return where(condition, a, a.like(b));
}
inline Expr where(Expr condition, double a, Expr b) {
  return where(condition, b.like(a), b);
}
/// NumPy's matrix product.
Expr matmul(Expr a, Expr b);
Expr concat(llvm::ArrayRef<Expr> parts, int64_t axis);
/// The elements of an axis at `places`, whose shape takes the axis's place.
Expr gather(Expr x, Expr places, int64_t axis);
/// The numbers 0, 1, … count - 1 of an element type, along one axis.
Expr iota(Node &n, mlir::Type element, int64_t count);
/// An int64 number, which may be an extent of the run.
Expr extentOf(Node &n, int64_t value);

inline Expr sum(Expr x, llvm::ArrayRef<int64_t> axes, bool keepdims = true) {
  return x.reduce<graph::ReduceSumOp>(axes, keepdims);
}
inline Expr mean(Expr x, llvm::ArrayRef<int64_t> axes, bool keepdims = true) {
  return x.reduce<graph::ReduceMeanOp>(axes, keepdims);
}
inline Expr largest(Expr x, llvm::ArrayRef<int64_t> axes,
                    bool keepdims = true) {
  return x.reduce<graph::ReduceMaxOp>(axes, keepdims);
}
inline Expr smallest(Expr x, llvm::ArrayRef<int64_t> axes,
                     bool keepdims = true) {
  return x.reduce<graph::ReduceMinOp>(axes, keepdims);
}

/// Axes first, first + 1, … last - 1.
Shape axesFrom(int64_t first, int64_t last);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_EXPRESSION_H
