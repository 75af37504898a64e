//===- Format.cpp - quantities as people read them ------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Support/Format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace mho;

/// Three significant digits, no exponent, no trailing zeros.
static std::string digits(double value) {
  double size = std::fabs(value);
  int decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  std::string result = text;
  if (result.find('.') != std::string::npos) {
    result.erase(result.find_last_not_of('0') + 1);
    if (result.back() == '.')
      result.pop_back();
  }
  return result;
}

std::string mho::formatQuantity(double value, const std::string &unit) {
  if (!std::isfinite(value))
    return (std::isnan(value) ? "nan " : value < 0 ? "-inf " : "inf ") + unit;
  if (value == 0)
    return "0 " + unit;
  static constexpr const char *prefixes[] = {"a", "f", "p", "n", "u", "m",
                                             "",  "k", "M", "G", "T", "P"};
  constexpr int kFirst = -6, kLast = 5;
  // 999.6 would print as 1000: it belongs to the next prefix.
  int power = kFirst;
  double scaled = value * 1e18;
  while (power < kLast && std::fabs(scaled) >= 999.5) {
    scaled /= 1000;
    ++power;
  }
  return digits(scaled) + " " + prefixes[power - kFirst] + unit;
}

std::string mho::formatTime(double seconds) {
  double size = std::fabs(seconds);
  if (!(size >= 100) || !std::isfinite(size))
    return formatQuantity(seconds, "s");
  if (size < 5400)
    return digits(seconds / 60) + " min";
  if (size < 2 * 86400)
    return digits(seconds / 3600) + " h";
  return digits(seconds / 86400) + " d";
}

std::string mho::formatEnergy(double joules) {
  return formatQuantity(joules, "J");
}

std::string mho::formatBytes(uint64_t bytes) {
  static constexpr const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = double(bytes);
  size_t unit = 0;
  while (unit + 1 < std::size(units) && value >= 1024) {
    value /= 1024;
    ++unit;
  }
  return digits(value) + " " + units[unit];
}

std::string mho::formatCount(uint64_t count) {
  std::string text = std::to_string(count);
  for (size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, ",");
  return text;
}

std::string mho::formatPercent(double share) {
  return digits(100 * share) + " %";
}
