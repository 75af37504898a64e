//===- Metrics.cpp - how well a run did -----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mho;
using namespace mho::rt;

double Metric::mean() const {
  double sum = 0;
  for (double value : values)
    sum += value;
  return values.empty() ? 0 : sum / double(values.size());
}

double Metric::deviation() const {
  if (values.size() < 2)
    return 0;
  double squares = 0, centre = mean();
  for (double value : values)
    squares += (value - centre) * (value - centre);
  return std::sqrt(squares / double(values.size() - 1));
}

/// 97.5 % quantile of Student's t: exact for 1 and 2 degrees of freedom, from
/// there the Cornish-Fisher expansion (error below 0.5 % at 3).
static double studentQuantile(size_t degrees) {
  constexpr double z = 1.959963984540054;
  if (degrees == 1)
    return 12.706204736;
  if (degrees == 2)
    return 4.302652730;
  double n = double(degrees), z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}

double Metric::interval() const {
  if (values.size() < 2)
    return 0;
  return studentQuantile(values.size() - 1) * deviation() /
         std::sqrt(double(values.size()));
}

namespace {

/// One instance's first output as rows of class scores.
struct Scores {
  const Tensor &tensor;
  size_t rows, classes;
  double at(size_t instance, size_t row, size_t column) const {
    return elementAsDouble(tensor, (instance * rows + row) * classes + column);
  }
};

double accuracy(const Scores &scores, size_t instance, const Tensor &labels) {
  size_t right = 0;
  for (size_t row = 0; row < scores.rows; ++row) {
    size_t best = 0;
    for (size_t i = 1; i < scores.classes; ++i)
      if (scores.at(instance, row, i) > scores.at(instance, row, best))
        best = i;
    right += double(best) == elementAsDouble(labels, row);
  }
  return double(right) / double(scores.rows);
}

double perplexity(const Scores &scores, size_t instance, const Tensor &labels) {
  double loss = 0;
  for (size_t row = 0; row < scores.rows; ++row) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (size_t i = 0; i < scores.classes; ++i)
      largest = std::max(largest, scores.at(instance, row, i));
    for (size_t i = 0; i < scores.classes; ++i)
      sum += std::exp(scores.at(instance, row, i) - largest);
    double label = elementAsDouble(labels, row);
    loss +=
        largest + std::log(sum) -
        scores.at(instance, row,
                  size_t(std::clamp(label, 0.0, double(scores.classes - 1))));
  }
  return std::exp(loss / double(scores.rows));
}

} // namespace

Status rt::checkMetric(const std::string &text) {
  size_t colon = text.find(':');
  std::string kind = text.substr(0, colon);
  if (colon != std::string::npos &&
      (kind == "accuracy" || kind == "mse" || kind == "perplexity"))
    return success();
  return failure("unknown metric '" + text +
                 "', expected accuracy:KEY, mse:KEY or perplexity:KEY");
}

Expected<Metric> rt::evaluateMetric(const std::string &text,
                                    const RunResult &result,
                                    const TensorMap &arrays) {
  if (Status status = checkMetric(text); !status.ok())
    return status;
  size_t colon = text.find(':');
  std::string kind = text.substr(0, colon), key = text.substr(colon + 1);
  auto found = arrays.find(key);
  if (found == arrays.end())
    return failure("metric '" + text + "': the input file has no array '" +
                   key + "'");
  if (result.outputs.empty())
    return failure("metric '" + text + "': the program has no output");
  const Tensor &output = result.outputs.front().second;
  const Tensor &truth = found->second;
  size_t instances = result.instanceAxis ? size_t(output.shape[0]) : 1;
  size_t each = instances ? output.elements() / instances : 0;
  auto sizes = [&] {
    return failure("metric '" + text + "': array '" + key + "' is " +
                   describe(truth.type, truth.shape) + ", the first output " +
                   describe(output.type, output.shape));
  };
  Metric metric{kind, {}};
  for (size_t instance = 0; instance < instances; ++instance) {
    if (kind == "mse") {
      if (truth.elements() != each || each == 0)
        return sizes();
      double sum = 0;
      for (size_t i = 0; i < each; ++i) {
        double difference = elementAsDouble(output, instance * each + i) -
                            elementAsDouble(truth, i);
        sum += difference * difference;
      }
      metric.values.push_back(sum / double(each));
      continue;
    }
    size_t classes = output.shape.empty() ? 0 : size_t(output.shape.back());
    if (classes == 0 || each == 0 || truth.elements() != each / classes)
      return sizes();
    Scores scores{output, each / classes, classes};
    metric.values.push_back(kind == "accuracy"
                                ? accuracy(scores, instance, truth)
                                : perplexity(scores, instance, truth));
  }
  return metric;
}

Expected<std::vector<Metric>>
rt::evaluateMetrics(const std::vector<std::string> &texts, RunResult &result,
                    const TensorMap &arrays) {
  std::vector<Metric> metrics;
  for (const std::string &text : texts) {
    auto metric = evaluateMetric(text, result, arrays);
    if (!metric)
      return metric.status();
    metrics.push_back(std::move(*metric));
    std::string key = "'" + text.substr(text.find(':') + 1) + "'";
    std::erase_if(result.notes, [&](const std::string &note) {
      return note.find(key) != std::string::npos;
    });
  }
  return metrics;
}

Expected<std::vector<Comparison>> rt::compareOutputs(const RunResult &result,
                                                     const TensorMap &reference,
                                                     double absolute,
                                                     double relative) {
  std::vector<Comparison> comparisons;
  for (const auto &[name, tensor] : result.outputs) {
    auto found = reference.find(name);
    if (found == reference.end())
      continue;
    const Tensor &want = found->second;
    if (want.elements() != tensor.elements())
      return failure("output '" + name + "' is " +
                     describe(tensor.type, tensor.shape) + ", the reference " +
                     describe(want.type, want.shape));
    Comparison one;
    one.output = name;
    double difference = 0, squares = 0, ours = 0, dot = 0;
    for (size_t i = 0, n = tensor.elements(); i < n; ++i) {
      double a = elementAsDouble(tensor, i), b = elementAsDouble(want, i);
      double error = std::fabs(a - b);
      if (a == b || (std::isnan(a) && std::isnan(b)))
        error = 0;
      else if (std::isnan(error))
        error = std::numeric_limits<double>::infinity();
      if (error > one.largest || i == 0) {
        one.largest = error;
        one.worst = i;
        one.got = a;
        one.want = b;
      }
      one.within &= error <= absolute + relative * std::fabs(b);
      difference += error * error;
      squares += b * b;
      ours += a * a;
      dot += a * b;
    }
    one.relativeL2 =
        squares > 0 ? std::sqrt(difference / squares) : std::sqrt(difference);
    one.cosine = squares > 0 && ours > 0 ? dot / std::sqrt(squares * ours) : 1;
    comparisons.push_back(one);
  }
  if (comparisons.empty())
    return failure("the reference has none of the program's outputs");
  return comparisons;
}
