//===- Calendar.h - when a resource is busy and memory ready --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_TIMELINE_CALENDAR_H
#define MHO_LIB_RUNTIME_TIMELINE_CALENDAR_H

#include <cstdint>
#include <map>

namespace mho::rt {

/// The busy intervals of a thing that does one step at a time. A step takes
/// the first gap that is long enough, so what is booked first (what stands
/// first in the program) comes first and later work fills what is left.
/// Times in ns.
class Calendar {
public:
  /// Earliest start at or after `ready` of a step of `duration`.
  double fit(double ready, double duration) const;
  /// Marks a step that `fit` has placed.
  void book(double start, double duration);
  double busy() const { return total; }
  /// start → end, disjoint, touching ones joined.
  const std::map<double, double> &intervals() const { return taken; }

private:
  std::map<double, double> taken;
  double total = 0;
};

/// For every byte of a space: when its value is there, and until when it is
/// needed. Ranges are [begin, end) in bytes, times in ns.
class MemoryTimes {
public:
  /// When all of the range has its values.
  double readable(int64_t begin, int64_t end) const;
  /// When all of the range may be overwritten.
  double writable(int64_t begin, int64_t end) const;
  void read(int64_t begin, int64_t end, double until);
  void write(int64_t begin, int64_t end, double done);

private:
  struct Range {
    int64_t end = 0;
    double written = 0, readUntil = 0;
    bool operator==(const Range &) const = default;
  };
  using Ranges = std::map<int64_t, Range>;
  /// Makes `at` a border between ranges.
  void cut(int64_t at);
  Ranges::const_iterator firstTouching(int64_t begin) const;

  Ranges ranges;
};

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_TIMELINE_CALENDAR_H
