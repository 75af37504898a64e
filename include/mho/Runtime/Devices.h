//===- Devices.h - what a cell holds after programming and drift ----------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Device models: from target weights to the weights that an array has at the
// time of a read. No state is kept: draws follow from the key, so the same
// array can be computed again for another time.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_DEVICES_H
#define MHO_RUNTIME_DEVICES_H

#include "mho/Runtime/Random.h"
#include "mho/Runtime/Settings.h"
#include "mho/Support/Status.h"

#include <map>
#include <memory>
#include <string>

namespace mho::rt {

/// Weights of one array as programmed and read, row-major, `stride` elements
/// from row to row, columns padded to `stride` with zero targets.
struct CellArray {
  size_t rows = 0;
  size_t columns = 0;
  size_t stride = 0; ///< a multiple of 16
  /// In: targets Ŵ in [-1, 1]. Out: (g+ - g-) / g_max at the time of the read.
  float *weights = nullptr;
  /// Out: variance of one read of a cell, same units; null where not wanted.
  float *variance = nullptr;
  /// Out, one per column (stride entries): Σ |weight| directly after
  /// programming, and now.
  float *programmedSum = nullptr;
  float *presentSum = nullptr;
};

/// One kind of memory device in a differential pair.
class DeviceModel {
public:
  virtual ~DeviceModel() = default;
  /// Programs and ages every cell. `key` and `faultKey` name the draws; cell
  /// (row, column) is number row·stride + column of the stream.
  virtual void program(const CellArray &cells, const NoiseSettings &noise,
                       const StreamKey &key,
                       const StreamKey &faultKey) const = 0;
  /// Whether weights need the programming step at all under these settings.
  virtual bool changesWeights(const NoiseSettings &noise) const = 0;
  /// Whether reads have a variance under these settings.
  virtual bool hasReadNoise(const NoiseSettings &noise) const = 0;
};

using DeviceParameters = std::map<std::string, double>;

/// The model called `name` ("ideal", "hermes-pcm"). `devicesPerPolarity`
/// chooses the fitted constants. Unknown names, parameters and unsupported
/// combinations fail with what exists.
Expected<std::unique_ptr<DeviceModel>>
createDeviceModel(const std::string &name, uint32_t devicesPerPolarity,
                  const DeviceParameters &parameters);

} // namespace mho::rt

#endif // MHO_RUNTIME_DEVICES_H
