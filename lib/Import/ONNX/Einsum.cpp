//===- Einsum.cpp - Einstein summation as matrix products -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands are multiplied one after the other. The letters of a pair fall into
// those both have and keep (batch), those only one has (rows, columns), and
// those both have and nobody asks for later (inner): transposes and reshapes
// bring a pair into that order, and a product without a batch is a plain one,
// so that a constant operand is a stationary matrix.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include "mlir/IR/Matchers.h"

#include <map>
#include <set>

using namespace mlir;

namespace mho::import {

namespace {

/// An axis of an operand; those under an ellipsis are negative, the last -1.
using Letter = int;
using Letters = SmallVector<Letter>;

struct Term {
  Expr value;
  Letters letters;

  bool has(Letter letter) const { return llvm::is_contained(letters, letter); }
  int64_t axisOf(Letter letter) const {
    return llvm::find(letters, letter) - letters.begin();
  }
  int64_t extentOf(Letter letter) const {
    return value.shape()[axisOf(letter)];
  }
  bool isConstant() const { return matchPattern(Value(value), m_Constant()); }
};

/// The letters of one side of a comma; an ellipsis stands for `covered` axes.
Letters parseTerm(Node &n, StringRef text, int64_t covered) {
  Letters letters;
  while (!text.empty()) {
    if (text.consume_front("...")) {
      for (int64_t i = covered; i > 0; --i)
        letters.push_back(-i);
    } else if (llvm::isAlpha(text.front())) {
      letters.push_back(text.front());
      text = text.drop_front();
    } else {
      n.fail("attribute 'equation' has '" + Twine(text.front()) +
             "', which is no letter");
    }
  }
  return letters;
}

/// The term with its axes in the order of `letters`, which it all has.
Term ordered(const Term &term, const Letters &letters) {
  if (term.letters == letters)
    return term;
  Shape perm;
  for (Letter letter : letters)
    perm.push_back(term.axisOf(letter));
  return {term.value.transpose(perm), letters};
}

/// A letter that comes twice: its diagonal. Both axes go to the end, are
/// joined, and every (extent + 1)-th element is taken.
Term withoutRepeats(Node &n, Term term) {
  for (size_t i = 0; i < term.letters.size(); ++i) {
    auto again = std::find(term.letters.begin() + i + 1, term.letters.end(),
                           term.letters[i]);
    if (again == term.letters.end())
      continue;
    Letter letter = term.letters[i];
    size_t j = again - term.letters.begin();
    ArrayRef<int64_t> extents = term.value.shape();
    int64_t extent = extents[i];
    if (extents[j] != extent)
      n.fail("letter '" + Twine(char(letter)) + "' is for axes of " +
             Twine(extent) + " and " + Twine(extents[j]));
    Shape perm, shape;
    Letters rest;
    for (size_t axis = 0; axis < term.letters.size(); ++axis)
      if (axis != i && axis != j) {
        perm.push_back(axis);
        shape.push_back(extents[axis]);
        rest.push_back(term.letters[axis]);
      }
    perm.append({int64_t(i), int64_t(j)});
    if (isSymbol(extent))
      n.refuse("a diagonal along axes of " + n.extents->text(extent) +
               ", known only at run time, is not supported; fix the extent "
               "with --shape");
    shape.push_back(extent * extent);
    Expr joined = term.value.transpose(perm).reshape(shape);
    Shape starts(shape.size(), 0), steps(shape.size(), 1);
    steps.back() = extent + 1;
    shape.back() = extent;
    Value diagonal = n.sliced(joined, starts, steps, shape);
    rest.push_back(letter);
    return withoutRepeats(n, {{n, diagonal}, rest});
  }
  return term;
}

/// The term with the letters that `drop` names summed away. An axis of one is
/// only left out, so that a constant stays one.
template <typename Predicate> Term summed(const Term &term, Predicate drop) {
  Shape axes, shape;
  Letters rest;
  for (auto [axis, letter] : llvm::enumerate(term.letters)) {
    int64_t extent = term.value.shape()[axis];
    if (!drop(letter)) {
      rest.push_back(letter);
      shape.push_back(extent);
    } else if (extent != 1) {
      axes.push_back(axis);
    }
  }
  Expr value = axes.empty() ? term.value : sum(term.value, axes, false);
  return {value.reshape(shape), rest};
}

/// Joins two terms; `later` are the letters that something else asks for.
class Pair {
public:
  Pair(Term a, Term c, const std::set<Letter> &later) : a(a), c(c) {
    for (Letter letter : a.letters) {
      bool both = c.has(letter), kept = later.count(letter);
      (!both ? rows : kept ? batch : inner).push_back(letter);
    }
    for (Letter letter : c.letters)
      if (!a.has(letter))
        columns.push_back(letter);
  }

  Term joined() {
    // An array multiplies by the matrix on the right.
    if (batch.empty() && a.isConstant() && !c.isConstant()) {
      std::swap(a, c);
      std::swap(rows, columns);
    }
    return inner.empty() ? multiplied() : contracted();
  }

private:
  Letters join(ArrayRef<Letters> lists) const {
    Letters all;
    for (const Letters &list : lists)
      llvm::append_range(all, list);
    return all;
  }
  static int64_t count(const Term &term, const Letters &letters) {
    int64_t product = 1;
    for (Letter letter : letters)
      product =
          term.value.node().extents->product(product, term.extentOf(letter));
    return product;
  }
  static void append(Shape &shape, const Term &term, const Letters &letters) {
    for (Letter letter : letters)
      shape.push_back(term.extentOf(letter));
  }

  /// Element by element, rows and columns broadcast.
  Term multiplied() {
    Term left = ordered(a, join({batch, rows}));
    Term right = ordered(c, join({batch, columns}));
    Shape shape(left.value.shape());
    shape.append(columns.size(), 1);
    Shape other;
    append(other, right, batch);
    other.append(rows.size(), 1);
    append(other, right, columns);
    return {left.value.reshape(shape) * right.value.reshape(other),
            join({batch, rows, columns})};
  }

  Term contracted() {
    Shape result;
    append(result, a, batch);
    append(result, a, rows);
    append(result, c, columns);
    int64_t k = count(a, inner);
    Shape left{count(a, rows), k}, right{k, count(c, columns)};
    if (!batch.empty()) {
      left.insert(left.begin(), count(a, batch));
      right.insert(right.begin(), count(c, batch));
    }
    Expr product =
        matmul(ordered(a, join({batch, rows, inner})).value.reshape(left),
               ordered(c, join({batch, inner, columns})).value.reshape(right));
    return {product.reshape(result), join({batch, rows, columns})};
  }

  Term a, c;
  Letters batch, rows, columns, inner;
};

struct Equation {
  SmallVector<Letters> terms;
  Letters output;
};

Equation parse(Node &n) {
  std::string written = n.string("equation", "");
  std::erase(written, ' ');
  auto [left, right] = StringRef(written).split("->");
  bool isExplicit = StringRef(written).contains("->");
  SmallVector<StringRef> parts;
  left.split(parts, ',');
  if (parts.size() != n.inputs.size())
    n.fail("attribute 'equation' ('" + written + "') has " +
           Twine(parts.size()) + " terms for " + Twine(n.inputs.size()) +
           " inputs");
  Equation equation;
  int64_t widest = 0;
  for (auto [i, part] : llvm::enumerate(parts)) {
    int64_t rank = n.type(n.input(i)).getRank();
    int64_t named = llvm::count_if(part, llvm::isAlpha);
    bool open = part.contains("...");
    if (open ? named > rank : named != rank)
      n.fail("term '" + part + "' of attribute 'equation' does not fit " +
             import::text(n.input(i).getType()));
    int64_t covered = open ? rank - named : 0;
    widest = std::max(widest, covered);
    equation.terms.push_back(parseTerm(n, part, covered));
    if (int64_t(equation.terms.back().size()) != rank)
      n.fail("term '" + part + "' of attribute 'equation' has '...' twice");
  }
  if (isExplicit) {
    equation.output = parseTerm(n, right, widest);
  } else {
    std::map<Letter, int> times;
    for (const Letters &letters : equation.terms)
      for (Letter letter : letters)
        ++times[letter];
    for (int64_t i = widest; i > 0; --i)
      equation.output.push_back(-i);
    for (auto [letter, uses] : times)
      if (letter > 0 && uses == 1)
        equation.output.push_back(letter);
  }
  return equation;
}

void einsum(Node &n) {
  Equation equation = parse(n);
  Type element = n.element(n.input(0));
  std::map<Letter, int64_t> extents;
  SmallVector<Term> terms;
  for (auto [i, letters] : llvm::enumerate(equation.terms)) {
    n.checkSameElement(n.input(0), n.input(i));
    terms.push_back(withoutRepeats(n, {wide(n, n.input(i)), letters}));
    for (Letter letter : terms.back().letters) {
      int64_t extent = terms.back().extentOf(letter);
      int64_t &known = extents.emplace(letter, extent).first->second;
      if (known == 1)
        known = extent;
      else if (extent != 1 && extent != known)
        n.fail("attribute 'equation' gives one letter to axes of " +
               Twine(known) + " and " + Twine(extent));
    }
  }
  for (auto [i, letter] : llvm::enumerate(equation.output))
    if (!extents.count(letter) ||
        llvm::is_contained(ArrayRef(equation.output).take_front(i), letter))
      n.fail("the result in attribute 'equation' names an axis that no input "
             "has, or one twice");
  // An axis of one broadcasts: the operand then does without it.
  for (Term &term : terms)
    term = summed(term, [&](Letter letter) {
      return term.extentOf(letter) == 1 && extents[letter] != 1;
    });

  auto neededBy = [&](size_t from) {
    std::set<Letter> letters(equation.output.begin(), equation.output.end());
    for (const Term &term : ArrayRef(terms).drop_front(from))
      letters.insert(term.letters.begin(), term.letters.end());
    return letters;
  };
  Term all = terms[0];
  for (size_t next = 1; next <= terms.size(); ++next) {
    std::set<Letter> later = neededBy(next);
    all = summed(all, [&](Letter letter) { return !later.count(letter); });
    if (next == terms.size())
      break;
    std::set<Letter> after = neededBy(next + 1);
    Term own = summed(terms[next], [&](Letter letter) {
      return !all.has(letter) && !after.count(letter);
    });
    all = Pair(all, own, after).joined();
  }
  n.result(ordered(all, equation.output).value.as(element));
}

} // namespace

void addEinsum(HandlerTable &table) { table[".Einsum"] = einsum; }

} // namespace mho::import
