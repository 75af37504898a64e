//===- Diff.cpp - what differs between two programs -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Texts are compared part by part (header, weights, each top-level op of the
// disassembly); of a differing part the lines between the common beginning
// and the common end are shown.
//
//===----------------------------------------------------------------------===//

#include "Dump.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

#include <cstring>

using namespace mho;
using Lines = llvm::SmallVector<llvm::StringRef>;

/// Lines of one side that are shown of a part.
static constexpr size_t kShown = 20;

static void printSide(llvm::raw_ostream &os, char sign, Lines lines) {
  for (size_t i = 0; i < std::min(lines.size(), kShown); ++i)
    os << sign << lines[i] << "\n";
  if (lines.size() > kShown)
    os << sign << " ... and " << lines.size() - kShown << " lines more\n";
}

/// True if the two texts are equal.
static bool comparePart(llvm::raw_ostream &os, llvm::StringRef title,
                        llvm::StringRef a, llvm::StringRef b) {
  if (a == b)
    return true;
  Lines left, right;
  a.split(left, '\n');
  b.split(right, '\n');
  size_t front = 0, back = 0, shorter = std::min(left.size(), right.size());
  while (front < shorter && left[front] == right[front])
    ++front;
  while (back < shorter - front &&
         left[left.size() - 1 - back] == right[right.size() - 1 - back])
    ++back;
  os << "@@ " << title << ", line " << front + 1 << "\n";
  printSide(os, '-', Lines(left.begin() + front, left.end() - back));
  printSide(os, '+', Lines(right.begin() + front, right.end() - back));
  return false;
}

std::optional<bool> mho::printDiff(llvm::raw_ostream &os, Program a,
                                   Program b) {
  auto textOf = [](auto print) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    print(stream);
    return text;
  };
  auto header = [&](const Program &file) {
    return textOf([&](llvm::raw_ostream &s) { printHeader(s, *file); });
  };
  auto weights = [&](const Program &file) {
    return textOf([&](llvm::raw_ostream &s) { printWeights(s, *file); });
  };
  bool readable = true;
  auto code = [&](const Program &file) {
    return textOf(
        [&](llvm::raw_ostream &s) { readable &= printDisassembly(s, file); });
  };
  bool same = comparePart(os, "header", header(a), header(b));
  same &= comparePart(os, "weights", weights(a), weights(b));
  std::string left = code(a), right = code(b);
  if (!readable)
    return std::nullopt;
  same &= comparePart(os, "instructions", left, right);
  auto bytesDiffer = [](std::span<const std::byte> x,
                        std::span<const std::byte> y) {
    return x.size() != y.size() ||
           (!x.empty() && std::memcmp(x.data(), y.data(), x.size()) != 0);
  };
  if (bytesDiffer(a->constants(), b->constants())) {
    os << "@@ constants differ\n";
    same = false;
  }
  if (bytesDiffer(a->weights(), b->weights())) {
    os << "@@ weight images differ\n";
    same = false;
  }
  return same;
}
