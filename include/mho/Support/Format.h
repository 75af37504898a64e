//===- Format.h - quantities as people read them --------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three significant digits and a fitting prefix. Base units in, text out.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_SUPPORT_FORMAT_H
#define MHO_SUPPORT_FORMAT_H

#include <cstdint>
#include <string>

namespace mho {

/// `value` with three significant digits and an SI prefix before `unit`:
/// "3.4 uJ", "133 ns", "0 W".
std::string formatQuantity(double value, const std::string &unit);
/// "133 ns", "1.2 ms"; from 100 s on "2.5 min", "3.1 h", "4 d".
std::string formatTime(double seconds);
/// "3.4 uJ".
std::string formatEnergy(double joules);
/// "512 B", "1.5 MiB".
std::string formatBytes(uint64_t bytes);
/// "4,194,304".
std::string formatCount(uint64_t count);
/// A share of 1: "97.1 %".
std::string formatPercent(double share);

} // namespace mho

#endif // MHO_SUPPORT_FORMAT_H
