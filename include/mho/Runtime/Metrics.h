//===- Metrics.h - how well a run did -------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_METRICS_H
#define MHO_RUNTIME_METRICS_H

#include "mho/Runtime/Session.h"
#include "mho/Runtime/Tensor.h"
#include "mho/Support/Status.h"

#include <string>
#include <vector>

namespace mho::rt {

/// A figure over the instances of a run.
struct Metric {
  std::string name;
  std::vector<double> values; ///< one per instance
  double mean() const;
  /// Sample standard deviation; 0 for one instance.
  double deviation() const;
  /// Half width of the 95 % interval of the mean (Student's t); 0 for one.
  double interval() const;
};

/// Whether a text names a metric.
Status checkMetric(const std::string &text);

/// Evaluates "accuracy:labels" (top-1 of the first output), "mse:KEY" or
/// "perplexity:KEY" (e to the mean cross entropy of the first output's
/// logits) against an array of the input file.
Expected<Metric> evaluateMetric(const std::string &text,
                                const RunResult &result,
                                const TensorMap &arrays);

/// Evaluates several, and drops the result's notes on the arrays they use: an
/// array of labels is no input, and nothing is wrong with that.
Expected<std::vector<Metric>>
evaluateMetrics(const std::vector<std::string> &texts, RunResult &result,
                const TensorMap &arrays);

/// How far one output is from a reference.
struct Comparison {
  std::string output;
  double largest = 0;    ///< max |a - b|
  double relativeL2 = 0; ///< ‖a - b‖ / ‖b‖
  double cosine = 1;
  size_t worst = 0; ///< flat position of the largest error
  double got = 0, want = 0;
  bool within = true; ///< |a - b| <= atol + rtol·|b| everywhere
};

/// Compares every output that the reference has. Fails where a shape differs
/// or the reference has none of the outputs.
Expected<std::vector<Comparison>> compareOutputs(const RunResult &result,
                                                 const TensorMap &reference,
                                                 double absolute,
                                                 double relative);

} // namespace mho::rt

#endif // MHO_RUNTIME_METRICS_H
