//===- Conditions.h - a run's conditions as users write them --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_CONDITIONS_H
#define MHO_RUNTIME_CONDITIONS_H

#include "mho/Runtime/Session.h"

#include <optional>
#include <string>
#include <vector>

namespace mho::rt {

/// Text of options; what is absent is the chip's own.
struct NoiseRequest {
  std::string effects = "all";
  uint64_t seed = 0;
  std::optional<std::string> time, temperature, compensation;
};
Expected<NoiseSettings> resolveNoise(const NoiseRequest &request,
                                     const fb::Chip &chip,
                                     std::vector<std::string> &notes);

} // namespace mho::rt

#endif // MHO_RUNTIME_CONDITIONS_H
