//===- Devices.cpp - device models ----------------------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Devices.h"

#include "Kernels.h"
#include "Streams.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace mho::rt {

namespace {

/// Holds what it is told for ever.
class IdealDevice final : public DeviceModel {
public:
  void program(const CellArray &cells, const NoiseSettings &, const StreamKey &,
               const StreamKey &) const override {
    for (size_t row = 0; row < cells.rows; ++row)
      for (size_t c = 0; c < cells.stride; ++c) {
        float magnitude = std::fabs(cells.weights[row * cells.stride + c]);
        cells.programmedSum[c] += magnitude;
        cells.presentSum[c] += magnitude;
      }
    if (cells.variance)
      std::fill_n(cells.variance, cells.rows * cells.stride, 0.0f);
  }
  bool changesWeights(const NoiseSettings &) const override { return false; }
  bool hasReadNoise(const NoiseSettings &) const override { return false; }
};

/// Phase-change memory as fitted on the HERMES chip: hardware facts §12.2.
/// Conductances here are in units of g_max.
class HermesPcm final : public DeviceModel {
public:
  HermesPcm(bool two, const DeviceParameters &parameters) {
    auto get = [&](const char *key, double otherwise) {
      auto found = parameters.find(key);
      return found == parameters.end() ? otherwise : found->second;
    };
    model.gMax = float(get("g_max", two ? 20.7 : 10.35));
    startTime = get("t0", two ? 300 : 200);
    readTime = get("t_read", 512e-9);
    programmingScale = get("programming_scale", 1);
    driftScale = get("drift_scale", 1);
    readScale = get("read_scale", 1);
    faultProbability = get("fault_probability", 0);
    if (two) {
      model.programming[0] = 0.16603222f;
      model.programming[1] = 4.71806468f;
      model.programming[2] = -8.48101252f;
      model.programming[3] = 4.68961419f;
      model.spread = {0.3055f, -0.0117f, -0.0057f,
                      0.0091f, 0.04f,    {0.0073f, 0.0093f, -0.0118f, 0}};
      model.read = {0.16f,  -0.0117f, -0.0069f,
                    0.015f, 0.04f,    {0.0123f, 0.0211f, -0.0280f, 0.0069f}};
    } else {
      model.programming[0] = 0.15781817f;
      model.programming[1] = 2.32443916f;
      model.programming[2] = -2.16310839f;
      model.programming[3] = 0.68841818f;
      model.spread = {0.3039f, -0.0120f, -0.0023f,
                      0.0124f, 0.04f,    {0.0104f, 0.0116f, -0.0165f, 0}};
      model.read = {0.1591f, -0.0078f, 0.0038f,
                    0.0179f, 0.04f,    {0.0088f, 0.0768f, -0.1352f, 0.0664f}};
    }
    model.mean = {0.0945f, -0.0387f, -0.0182f,
                  0.0720f, 0.13f,    {0.0736f, -0.0126f, -0.0436f, 0}};
  }

  static const std::set<std::string> &parameterNames() {
    static const std::set<std::string> names = {
        "g_max",       "t0",         "t_read",           "programming_scale",
        "drift_scale", "read_scale", "fault_probability"};
    return names;
  }

  void program(const CellArray &cells, const NoiseSettings &noise,
               const StreamKey &key, const StreamKey &faultKey) const override {
    double age = noise.timeSeconds + startTime;
    kernels::ProgramCells call{};
    call.weights = cells.weights;
    call.variance = cells.variance;
    call.programmedSum = cells.programmedSum;
    call.presentSum = cells.presentSum;
    call.rows = int64_t(cells.rows);
    call.columns = int64_t(cells.stride);
    call.programmingScale = noise.programming ? float(programmingScale) : 0;
    call.logAge =
        noise.drift ? float(driftScale * std::log(age / startTime)) : 0;
    call.readFactor = float(readScale * readScale *
                            std::log((age + readTime) / (2 * readTime)));
    if (noise.faults)
      call.faultThreshold = uint32_t(faultProbability * 4294967295.0);
    call.key = plain(key);
    call.faultKey = plain(faultKey);
    kernels::table().programPcm(model, call);
  }
  bool changesWeights(const NoiseSettings &noise) const override {
    return noise.programming || noise.drift || noise.read ||
           (noise.faults && faultProbability > 0);
  }
  bool hasReadNoise(const NoiseSettings &noise) const override {
    return noise.read;
  }

private:
  kernels::PcmModel model{};
  double startTime, readTime;
  double programmingScale, driftScale, readScale, faultProbability;
};

} // namespace

Expected<std::unique_ptr<DeviceModel>>
createDeviceModel(const std::string &name, uint32_t devicesPerPolarity,
                  const DeviceParameters &parameters) {
  if (name == "ideal" || name.empty())
    return std::unique_ptr<DeviceModel>(std::make_unique<IdealDevice>());
  if (name != "hermes-pcm")
    return failure("unknown device model '" + name +
                   "', there are 'ideal' and 'hermes-pcm'");
  if (devicesPerPolarity != 1 && devicesPerPolarity != 2)
    return failure("device model 'hermes-pcm' is fitted for 1 or 2 devices "
                   "per polarity, the chip has " +
                   std::to_string(devicesPerPolarity));
  for (auto &[key, value] : parameters) {
    if (!HermesPcm::parameterNames().count(key)) {
      std::string known;
      for (auto &n : HermesPcm::parameterNames())
        known += (known.empty() ? "" : ", ") + n;
      return failure("device model 'hermes-pcm' has no parameter '" + key +
                     "', it has " + known);
    }
    bool positive = key == "g_max" || key == "t0" || key == "t_read";
    if (!std::isfinite(value) || value < 0 || (positive && value == 0))
      return failure("parameter '" + key +
                     "' of device model 'hermes-pcm' "
                     "must be positive and finite");
  }
  auto fault = parameters.find("fault_probability");
  if (fault != parameters.end() && fault->second > 1)
    return failure("parameter 'fault_probability' must not exceed 1");
  return std::unique_ptr<DeviceModel>(
      std::make_unique<HermesPcm>(devicesPerPolarity == 2, parameters));
}

} // namespace mho::rt
