//===- Session.h - load a program once, run it many times
//-------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime's door: what mho-run, calibration and the Python package use.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_SESSION_H
#define MHO_RUNTIME_SESSION_H

#include "mho/Runtime/Decisions.h"
#include "mho/Runtime/LoadedProgram.h"
#include "mho/Runtime/Observer.h"
#include "mho/Runtime/Settings.h"
#include "mho/Runtime/Tensor.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mho::rt {

struct RunSettings {
  NoiseSettings noise; ///< default: ideal
  /// Separately programmed chips. With `instanceAxis` the outputs get a
  /// leading axis of this length, which more than one instance always does.
  uint32_t instances = 1;
  bool instanceAxis = false;
  unsigned threads = 0; ///< 0: all cores
  /// {input, output}: the output of run i is the input of run i + 1.
  std::vector<std::pair<std::string, std::string>> states;
  /// The file with the inputs, for messages about them; empty: there is none.
  std::string inputsFrom;
  /// Sees every mvm in ideal mode; may be null.
  Observer *observer = nullptr;
  /// Called now and then with the share of the work done, in [0, 1].
  std::function<void(double)> progress;
};

struct RunResult {
  /// In the order of the entry point's outputs.
  std::vector<std::pair<std::string, Tensor>> outputs;
  uint64_t runs = 0; ///< samples per instance
  bool instanceAxis = false;
  /// Of the first sample on the first instance: what the timeline replays.
  Decisions decisions;
  double programmingSeconds = 0; ///< wall time, all instances
  double executionSeconds = 0;   ///< wall time, all instances
  /// For the user: arrays passed over and the like.
  std::vector<std::string> notes;

  const Tensor *find(const std::string &name) const;
};

/// Checks `--noise`'s list against the chip: "all", "none", names, names with
/// a leading "-". Conditions (time, temperature, compensation) are the chip's
/// defaults. Notes name effects that the chip does not declare.
Expected<NoiseSettings> parseNoise(const std::string &list,
                                   const fb::Chip &chip,
                                   std::vector<std::string> &notes);
/// "none", "global", "column", "reference".
Expected<Compensation> parseCompensation(const std::string &name);
/// "25s", "1h", "30d", "1y" in seconds; a bare number is seconds.
Expected<double> parseTime(const std::string &text);
/// "40C", "313K" in degrees Celsius; a bare number is Celsius.
Expected<double> parseTemperature(const std::string &text);

class Session {
public:
  /// Loads, checks, verifies and prepares a program.
  static Expected<std::unique_ptr<Session>> load(const std::string &path);
  ~Session();

  const std::shared_ptr<const LoadedProgram> &program() const;
  /// Number of physical arrays, the size an Observer must have.
  size_t arrays() const;

  /// A run leaves its arrays programmed for the next one with the same
  /// settings; this gives their memory back.
  void forgetArrays();

  /// Runs the program on `inputs` (layout as CLI.md says: exact shape, n times
  /// the leading axis, or one more leading axis). Fails with what is expected
  /// where an array is absent or does not fit.
  Expected<RunResult> run(const TensorMap &inputs, const RunSettings &settings);

private:
  struct State;
  Session();
  std::unique_ptr<State> state;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_SESSION_H
