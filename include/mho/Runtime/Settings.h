//===- Settings.h - what a run may vary ---------------------------------- ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_SETTINGS_H
#define MHO_RUNTIME_SETTINGS_H

#include <cstdint>
#include <optional>
#include <string>

namespace mho::rt {

enum class Compensation { None, Global, Column, Reference };

/// Which effects are on, and the conditions they depend on.
struct NoiseSettings {
  bool quantization = false;
  bool programming = false;
  bool drift = false; ///< includes its compensation
  bool read = false;
  bool irDrop = false;
  bool adc = false;
  bool dac = false;
  bool faults = false;
  bool temperature = false;
  bool output = false;
  uint64_t seed = 0;
  double timeSeconds = 0; ///< between programming and inference
  double celsius = 25;
  Compensation compensation = Compensation::Global;

  /// Nothing on: the arrays compute in f32.
  bool ideal() const {
    return !(quantization || programming || drift || read || irDrop || adc ||
             dac || faults || temperature || output);
  }
  bool operator==(const NoiseSettings &) const = default;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_SETTINGS_H
