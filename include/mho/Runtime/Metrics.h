//===- Metrics.h - how good outputs are -------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_METRICS_H
#define MHO_RUNTIME_METRICS_H

#include "mho/Runtime/Session.h"

#include <optional>
#include <string>
#include <vector>

namespace mho::rt {

/// "accuracy:labels": what to compute against which array of the input file.
struct MetricRequest {
  enum class Kind { Accuracy, Mse, Perplexity } kind = Kind::Accuracy;
  std::string key;
  std::string name() const;
};
Expected<MetricRequest> parseMetric(const std::string &text);

/// A metric over instances.
struct MetricResult {
  std::string name;
  std::vector<double> perInstance;
  double value = 0; ///< mean
  double std = 0;   ///< sample standard deviation, 0 for one instance
  /// Half width of the 95 % interval of the mean (Student t); none for one.
  std::optional<double> ci95;
};

/// Top-1 accuracy of the first output, mean squared error against, or
/// perplexity of the first output's logits on the array `reference`.
Expected<MetricResult> computeMetric(const MetricRequest &request,
                                     const RunResult &result,
                                     const Tensor &reference);

/// Mean, deviation and interval of the values.
MetricResult summarize(std::string name, std::vector<double> values);

/// How far an output lies from a reference.
struct Comparison {
  std::string name;
  double maxAbs = 0;
  double relativeL2 = 0;
  double cosine = 1;
  std::vector<int64_t> worst; ///< position of the largest difference
  bool within = true;         ///< |a - b| <= atol + rtol · |b| everywhere
};

/// Compares outputs with the arrays of the same names; an output that is
/// absent or has another number of elements fails.
Expected<std::vector<Comparison>> compareOutputs(const RunResult &result,
                                                 const TensorMap &reference,
                                                 double atol, double rtol);

} // namespace mho::rt

#endif // MHO_RUNTIME_METRICS_H
