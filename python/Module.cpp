//===- Module.cpp - mho._mho: compiler and runtime for Python -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The thin layer under the package: plain functions that release Python's lock
// while they work. What users see is in mho/*.py.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "Compile.h"

#include "mho/Chip/ChipModel.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/unique_ptr.h>

using namespace mho;
using namespace mho::python;

namespace {

/// A failed run, load or save.
struct Failure : std::runtime_error {
  using runtime_error::runtime_error;
};

template <typename T> T valueOf(Expected<T> expected) {
  if (!expected.ok())
    throw Failure(expected.message());
  return std::move(*expected);
}

Compiled compileFor(const std::string &model, std::optional<nb::bytes> bytes,
                    const std::string &folder, const std::string &target,
                    const std::vector<std::string> &shapes,
                    const ArraysIn &constants,
                    const std::optional<ArraysIn> &calibrate,
                    const std::string &readMode, uint64_t seed,
                    const std::string &phase) {
  CompileRequest request;
  request.model = model;
  if (bytes)
    request.bytes = std::string_view(bytes->c_str(), bytes->size());
  request.folder = folder;
  request.target = target;
  request.readMode = readMode;
  request.shapes = shapes;
  request.constants = toTensors(constants);
  if (calibrate)
    request.calibrate = toTensors(*calibrate);
  request.seed = seed;
  request.phase = phase;
  nb::gil_scoped_release unlocked;
  return compile(request);
}

RunOutcome run(Program &program, const ArraysIn &inputs,
               const std::string &effects, uint64_t seed,
               std::optional<std::string> time,
               std::optional<std::string> temperature,
               std::optional<std::string> compensation,
               std::optional<uint32_t> instances, unsigned threads,
               std::vector<std::pair<std::string, std::string>> states,
               std::vector<std::string> metrics) {
  RunRequest request;
  request.inputs = toTensors(inputs);
  request.noise = {effects, seed, std::move(time), std::move(temperature),
                   std::move(compensation)};
  request.instances = instances.value_or(1);
  request.instanceAxis = instances.has_value();
  request.threads = threads;
  request.states = std::move(states);
  request.metrics = std::move(metrics);
  nb::gil_scoped_release unlocked;
  return valueOf(program.run(request));
}

using Values =
    std::vector<std::tuple<std::string, std::string, std::vector<int64_t>>>;

Values tuplesOf(const std::vector<Program::Value> &values) {
  Values tuples;
  for (const Program::Value &value : values)
    tuples.emplace_back(value.name, value.type, value.shape);
  return tuples;
}

} // namespace

NB_MODULE(_mho, module) {
  module.doc() = "compiler and runtime under the package mho";
  nb::exception<Failure>(module, "ProgramError");

  nb::class_<RunOutcome>(module, "RunOutcome")
      .def("take_outputs",
           [](RunOutcome &outcome) {
             std::vector<std::pair<std::string, ArrayOut>> arrays;
             for (auto &[name, tensor] : outcome.result.outputs)
               arrays.emplace_back(name, toPython(std::move(tensor)));
             outcome.result.outputs.clear();
             return arrays;
           })
      .def_prop_ro(
          "notes",
          [](const RunOutcome &outcome) { return outcome.result.notes; })
      .def_prop_ro(
          "runs", [](const RunOutcome &outcome) { return outcome.result.runs; })
      .def_prop_ro("metrics", [](const RunOutcome &outcome) {
        std::vector<std::tuple<std::string, double, double, double,
                               std::vector<double>>>
            metrics;
        for (const rt::Metric &metric : outcome.metrics)
          metrics.emplace_back(metric.name, metric.mean(), metric.deviation(),
                               metric.interval(), metric.values);
        return metrics;
      });

  nb::class_<Program>(module, "Program")
      .def("run", &run)
      .def("report", &Program::report, nb::call_guard<nb::gil_scoped_release>())
      .def("summary", &Program::summary,
           nb::call_guard<nb::gil_scoped_release>())
      .def(
          "save",
          [](const Program &program, const std::string &path) {
            if (Status status = program.save(path); !status.ok())
              throw Failure(status.message());
          },
          nb::call_guard<nb::gil_scoped_release>())
      .def(
          "disassemble",
          [](const Program &program) { return valueOf(program.disassemble()); },
          nb::call_guard<nb::gil_scoped_release>())
      .def_prop_ro(
          "inputs",
          [](const Program &program) { return tuplesOf(program.inputs()); })
      .def_prop_ro(
          "outputs",
          [](const Program &program) { return tuplesOf(program.outputs()); })
      .def_prop_ro("target", &Program::target)
      .def_prop_ro("notes", &Program::notes);

  nb::class_<Compiled>(module, "Compiled")
      .def("take_program",
           [](Compiled &compiled) { return std::move(compiled.program); })
      .def_ro("text", &Compiled::text)
      .def_ro("errors", &Compiled::errors)
      .def_ro("notes", &Compiled::notes)
      .def_ro("freeze", &Compiled::freeze);

  module.def("compile", &compileFor, nb::arg("model"), nb::arg("bytes").none(),
             nb::arg("folder"), nb::arg("target"), nb::arg("shapes"),
             nb::arg("constants"), nb::arg("calibrate").none(),
             nb::arg("read_mode"), nb::arg("seed"), nb::arg("phase"));
  module.def(
      "load",
      [](const std::string &path) { return valueOf(Program::load(path)); },
      nb::call_guard<nb::gil_scoped_release>());
  module.def("targets", [] {
    std::vector<std::tuple<std::string, std::string, std::string>> targets;
    for (const TargetInfo &info : listTargets())
      targets.emplace_back(info.name, info.description, info.capacity);
    return targets;
  });
}
