//===- Program.h - a loaded program for Python ----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_PYTHON_PROGRAM_H
#define MHO_PYTHON_PROGRAM_H

#include "mho/Runtime/Conditions.h"
#include "mho/Runtime/Metrics.h"
#include "mho/Support/TemporaryFile.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mho::python {

/// What Program.run is asked for.
struct RunRequest {
  rt::TensorMap inputs;
  rt::NoiseRequest noise;
  uint32_t instances = 1;
  bool instanceAxis = false;
  unsigned threads = 0;
  std::vector<std::pair<std::string, std::string>> states;
  std::vector<std::string> metrics; ///< "accuracy:labels"
};

/// What a run gives; the settings are kept for the report.
struct RunOutcome {
  rt::RunResult result;
  std::vector<rt::Metric> metrics;
  rt::RunSettings settings;
  std::string effects;
};

class Program {
public:
  static Expected<std::unique_ptr<Program>> load(const std::string &path);
  /// A program that has just been compiled into a file that goes with it.
  static Expected<std::unique_ptr<Program>> load(TemporaryFile file);

  /// One run at a time; further threads wait.
  Expected<RunOutcome> run(const RunRequest &request);
  /// The report of a run, as JSON.
  std::string report(const RunOutcome &outcome) const;
  /// The report's figures in words.
  std::string summary(const RunOutcome &outcome) const;
  Status save(const std::string &path) const;
  Expected<std::string> disassemble() const;

  /// Name, type and shape of each input or output.
  struct Value {
    std::string name, type;
    std::vector<int64_t> shape;
  };
  std::vector<Value> inputs() const;
  std::vector<Value> outputs() const;
  std::string target() const;
  std::vector<std::string> notes() const;

private:
  std::optional<TemporaryFile> file;
  std::unique_ptr<rt::Session> session;
  std::mutex running;
};

} // namespace mho::python

#endif // MHO_PYTHON_PROGRAM_H
