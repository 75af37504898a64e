//===- Observer.h - what calibration sees ---------------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_OBSERVER_H
#define MHO_RUNTIME_OBSERVER_H

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace mho::rt {

/// A histogram of magnitudes whose range doubles as needed: percentiles of
/// any number of values in constant memory, to 1/512 of the largest.
class MagnitudeHistogram {
public:
  void add(float magnitude);
  void merge(const MagnitudeHistogram &other);
  float largest() const { return top; }
  /// Smallest magnitude below which `fraction` of the values lie.
  float percentile(double fraction) const;
  uint64_t count() const { return total; }

private:
  std::vector<uint64_t> bins = std::vector<uint64_t>(1024, 0);
  float width = 0; ///< of a bin; 0 until the first non-zero value
  float top = 0;
  uint64_t total = 0;
};

/// Ranges seen by the arrays of a program in ideal mode. Thread safe.
class Observer {
public:
  explicit Observer(size_t arrays) : inputs(arrays), columns(arrays) {}

  /// |x| of the elements of one array's input vectors.
  void seeInputs(uint32_t array, const MagnitudeHistogram &values);
  /// |Σ_k x_k · W_kn / s_n| of each column, in input units.
  void seeColumns(uint32_t array, std::span<const MagnitudeHistogram> values);

  const MagnitudeHistogram &input(uint32_t array) const {
    return inputs[array];
  }
  std::span<const MagnitudeHistogram> column(uint32_t array) const {
    return columns[array];
  }

private:
  std::mutex lock;
  std::vector<MagnitudeHistogram> inputs;
  std::vector<std::vector<MagnitudeHistogram>> columns;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_OBSERVER_H
