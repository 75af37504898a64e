//===- Program.cpp - a loaded program for Python --------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "mho/Runtime/Report.h"
#include "mho/Runtime/Timeline.h"
#include "mho/Target/Program/Disassemble.h"

#include "llvm/Support/MemoryBuffer.h"

#include <filesystem>
#include <new>

using namespace mho;
using namespace mho::python;

Expected<std::unique_ptr<Program>> Program::load(const std::string &path) {
  auto session = rt::Session::load(path);
  if (!session.ok())
    return session.status();
  auto program = std::make_unique<Program>();
  program->session = std::move(*session);
  return program;
}

Expected<std::unique_ptr<Program>> Program::load(TemporaryFile file) {
  auto program = load(file.path());
  if (program.ok())
    (*program)->file = std::move(file);
  return program;
}

Expected<RunOutcome> Program::run(const RunRequest &request) {
  RunOutcome outcome;
  std::vector<std::string> notes;
  auto noise =
      rt::resolveNoise(request.noise, session->program()->chip(), notes);
  if (!noise.ok())
    return noise.status();
  rt::RunSettings &settings = outcome.settings;
  settings.noise = *noise;
  settings.instances = request.instances;
  settings.instanceAxis = request.instanceAxis;
  settings.threads = request.threads;
  settings.states = request.states;
  outcome.effects = request.noise.effects;
  try {
    std::lock_guard<std::mutex> hold(running);
    auto result = session->run(request.inputs, settings);
    if (!result.ok())
      return result.status();
    outcome.result = std::move(*result);
  } catch (const std::bad_alloc &) {
    return failure("the run needs more memory than there is");
  }
  auto metrics =
      rt::evaluateMetrics(request.metrics, outcome.result, request.inputs);
  if (!metrics.ok())
    return metrics.status();
  outcome.metrics = std::move(*metrics);
  notes.insert(notes.end(), outcome.result.notes.begin(),
               outcome.result.notes.end());
  outcome.result.notes = std::move(notes);
  return outcome;
}

static nlohmann::ordered_json reportOf(const rt::LoadedProgram &program,
                                       const RunOutcome &outcome) {
  rt::TimelineSettings wanted;
  wanted.decisions = &outcome.result.decisions;
  return rt::buildReport(program, rt::runTimeline(program, 0, wanted),
                         rt::reportSettings(outcome.settings, outcome.effects),
                         rt::reportMetrics(outcome.metrics));
}

std::string Program::report(const RunOutcome &outcome) const {
  return reportOf(*session->program(), outcome).dump();
}

std::string Program::summary(const RunOutcome &outcome) const {
  return rt::summarize(reportOf(*session->program(), outcome));
}

Status Program::save(const std::string &path) const {
  const std::string &from = session->program()->file->path();
  std::error_code code;
  if (std::filesystem::equivalent(from, path, code))
    return success();
  auto bytes = llvm::MemoryBuffer::getFile(from, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!bytes)
    return failure("cannot read '" + from + "': " + bytes.getError().message());
  llvm::StringRef text = (*bytes)->getBuffer();
  return writeFileAtomically(path, {text.data(), text.size()});
}

Expected<std::string> Program::disassemble() const {
  return disassembleToText(session->program()->file);
}

static std::vector<Program::Value>
valuesOf(const fb::Program &program,
         const flatbuffers::Vector<uint32_t> *numbers) {
  std::vector<Program::Value> values;
  // An empty list may be left out.
  for (uint32_t i = 0; numbers && i < numbers->size(); ++i) {
    const fb::Value &value = *program.values()->Get(numbers->Get(i));
    Program::Value &one = values.emplace_back();
    one.name = value.name()->str();
    one.type = isa::nameOf(isa::Type(value.type()));
    if (value.shape())
      one.shape.assign(value.shape()->begin(), value.shape()->end());
  }
  return values;
}

std::vector<Program::Value> Program::inputs() const {
  const fb::Program &program = session->program()->program();
  return valuesOf(program, program.entries()->Get(0)->inputs());
}

std::vector<Program::Value> Program::outputs() const {
  const fb::Program &program = session->program()->program();
  return valuesOf(program, program.entries()->Get(0)->outputs());
}

std::string Program::target() const {
  const auto *name = session->program()->program().target();
  return name ? name->str() : std::string();
}

std::vector<std::string> Program::notes() const {
  std::vector<std::string> notes;
  if (const auto *texts = session->program()->program().notes())
    for (const flatbuffers::String *text : *texts)
      notes.push_back(text->str());
  return notes;
}
