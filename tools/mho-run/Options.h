//===- Options.h - what mho-run is asked for ------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUN_OPTIONS_H
#define MHO_RUN_OPTIONS_H

#include "mho/Runtime/Conditions.h"
#include "mho/Support/Status.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mho::run {

struct Options {
  std::string program, input, output, trace, compare;
  std::vector<std::string> reports;
  rt::NoiseRequest noise;
  std::vector<std::string> metrics;
  std::vector<std::pair<std::string, std::string>> states;
  uint32_t instances = 1;
  bool instanceAxis = false;
  bool attributeNoise = false;
  unsigned threads = 0;
  std::optional<double> absolute, relative;
};

/// parseOptions' answer when --help or --version was asked for.
inline constexpr int kDone = -1;

/// Fills `options`; 0 to go on, kDone, or the exit code of wrong usage (2).
int parseOptions(int argc, char **argv, Options &options);

/// Runs as asked. Fails with a message for the user; `differs` tells that a
/// comparison is beyond its tolerances.
Status runProgram(const Options &options, bool &differs);

} // namespace mho::run

#endif // MHO_RUN_OPTIONS_H
