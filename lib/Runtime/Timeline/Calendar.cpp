//===- Calendar.cpp - when a resource is busy and memory ready ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calendar.h"

#include <algorithm>
#include <iterator>

using namespace mho;
using namespace mho::rt;

/// Gaps looked at before a step goes behind everything: bounds the work on
/// resources that are cut into many short intervals.
static constexpr unsigned kMostGaps = 512;

double Calendar::fit(double ready, double duration) const {
  auto it = taken.upper_bound(ready);
  if (it != taken.begin())
    ready = std::max(ready, std::prev(it)->second);
  for (unsigned gaps = 0; it != taken.end(); ++it, ++gaps) {
    if (ready + duration <= it->first)
      return ready;
    if (gaps == kMostGaps)
      return std::max(ready, taken.rbegin()->second);
    ready = std::max(ready, it->second);
  }
  return ready;
}

void Calendar::book(double start, double duration) {
  if (duration <= 0)
    return;
  total += duration;
  double end = start + duration;
  auto next = taken.lower_bound(start);
  if (next != taken.begin() && std::prev(next)->second >= start) {
    auto before = std::prev(next);
    before->second = std::max(before->second, end);
    next = before;
  } else {
    next = taken.emplace_hint(next, start, end);
  }
  for (auto after = std::next(next);
       after != taken.end() && after->first <= next->second;
       after = taken.erase(after))
    next->second = std::max(next->second, after->second);
}

MemoryTimes::Ranges::const_iterator
MemoryTimes::firstTouching(int64_t begin) const {
  auto it = ranges.upper_bound(begin);
  if (it != ranges.begin() && std::prev(it)->second.end > begin)
    --it;
  return it;
}

double MemoryTimes::readable(int64_t begin, int64_t end) const {
  double time = 0;
  for (auto it = firstTouching(begin); it != ranges.end() && it->first < end;
       ++it)
    time = std::max(time, it->second.written);
  return time;
}

double MemoryTimes::writable(int64_t begin, int64_t end) const {
  double time = 0;
  for (auto it = firstTouching(begin); it != ranges.end() && it->first < end;
       ++it)
    time = std::max({time, it->second.written, it->second.readUntil});
  return time;
}

void MemoryTimes::cut(int64_t at) {
  auto it = ranges.upper_bound(at);
  if (it == ranges.begin())
    return;
  --it;
  if (it->first == at || it->second.end <= at)
    return;
  Range rest = it->second;
  it->second.end = at;
  ranges.emplace_hint(std::next(it), at, rest);
}

void MemoryTimes::read(int64_t begin, int64_t end, double until) {
  cut(begin);
  cut(end);
  int64_t at = begin;
  auto it = ranges.lower_bound(begin);
  while (at < end) {
    if (it == ranges.end() || it->first > at) {
      // Never written: an input, there from the start.
      int64_t stop = it == ranges.end() ? end : std::min(end, it->first);
      it = std::next(ranges.emplace_hint(it, at, Range{stop, 0, until}));
      at = stop;
      continue;
    }
    it->second.readUntil = std::max(it->second.readUntil, until);
    at = it->second.end;
    ++it;
  }
}

void MemoryTimes::write(int64_t begin, int64_t end, double done) {
  if (begin >= end)
    return;
  cut(begin);
  cut(end);
  auto it = ranges.lower_bound(begin);
  while (it != ranges.end() && it->first < end)
    it = ranges.erase(it);
  ranges.emplace_hint(it, begin, Range{end, done, 0});
}
