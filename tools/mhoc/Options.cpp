//===- Options.cpp - mhoc's command line ----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "../StandardOutput.h"

#include "mho/Chip/ChipModel.h"
#include "mho/Import/ONNX/Operators.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mho::mhoc {

static void printOperators(raw_ostream &os) {
  for (const OperatorInfo &info : listOperators()) {
    json::Array versions;
    for (int version : info.versions)
      versions.push_back(version);
    StringRef source = info.source == OperatorSource::Handler    ? "handler"
                       : info.source == OperatorSource::Function ? "function"
                                                                 : "none";
    os << json::Value(json::Object{{"domain", info.domain},
                                   {"name", info.name},
                                   {"source", source},
                                   {"where", info.where},
                                   {"versions", std::move(versions)}})
       << "\n";
  }
}

int parseOptions(int argc, char **argv, Options &options) {
  cl::OptionCategory category("mhoc options");
  cl::opt<std::string> model(cl::Positional, cl::desc("model.onnx"),
                             cl::cat(category));
  cl::opt<std::string> output("o",
                              cl::desc("file to write; - is stdout for text"),
                              cl::value_desc("file"), cl::cat(category));
  cl::opt<std::string> target(
      "target", cl::desc("built-in chip, or a chip file (default: hermes)"),
      cl::value_desc("name|file.yaml"), cl::init("hermes"), cl::cat(category));
  cl::opt<bool> listTargets(
      "list-targets", cl::desc("print the built-in chips"), cl::cat(category));
  cl::opt<bool> listOperatorsToo(
      "list-operators",
      cl::desc("print the operators that have a meaning, a JSON object each"),
      cl::cat(category));
  cl::list<std::string> shapes(
      "shape",
      cl::desc(
          "binds an input's dimensions (x=1x3x32x32) or a symbol (batch=4)"),
      cl::value_desc("name=extents"), cl::cat(category));
  cl::list<std::string> constants(
      "constant", cl::desc("freezes a graph input to a constant"),
      cl::value_desc("input=value|file.npz:key"), cl::cat(category));
  cl::list<std::string> loopBounds(
      "loop-bound",
      cl::desc("stops a Loop node after so many steps, or says how many "
               "elements a Range node gives at most, where only the run knows"),
      cl::value_desc("node=N"), cl::cat(category));
  cl::opt<std::string> calibrate(
      "calibrate",
      cl::desc("sample inputs that input and ADC ranges are set from"),
      cl::value_desc("file.npz"), cl::cat(category));
  cl::opt<std::string> readMode("read-mode",
                                cl::desc("one of the chip's read modes"),
                                cl::value_desc("name"), cl::cat(category));
  cl::opt<std::string> compileTo(
      "compile-to",
      cl::desc("stop after graph, analog, placed, tile or binary (default)"),
      cl::value_desc("phase"), cl::init("binary"), cl::cat(category));
  cl::opt<std::string> dumpPhases(
      "dump-phases", cl::desc("write every phase's text into this folder"),
      cl::value_desc("folder"), cl::cat(category));
  cl::opt<bool> explain("explain",
                        cl::desc("print where every ONNX node runs, and why"),
                        cl::cat(category));
  cl::opt<bool> emitBytecode(
      "emit-bytecode",
      cl::desc("with --compile-to: MLIR bytecode with weights"),
      cl::cat(category));
  cl::opt<std::string> report(
      "report",
      cl::desc("write latency, energy and arrays of one run: r.json or r.html"),
      cl::value_desc("file.json"), cl::cat(category));
  cl::opt<uint64_t> seed("seed", cl::desc("of mapping searches (default: 0)"),
                         cl::init(0), cl::cat(category));
  mlir::registerMLIRContextCLOptions();
  mlir::registerAsmPrinterCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();

  std::string problems;
  raw_string_ostream problemStream(problems);
  if (!cl::ParseCommandLineOptions(
          argc, argv, "mhoc compiles an ONNX model for an analog chip\n",
          &problemStream)) {
    errs() << problems;
    return 2;
  }
  if (listTargets) {
    for (const TargetInfo &info : mho::listTargets())
      outs() << info.name << "\t" << info.description << "\t" << info.capacity
             << "\n";
  }
  if (listOperatorsToo)
    printOperators(outs());
  if (listTargets || listOperatorsToo) {
    std::string error = flushStandardOutput();
    if (error.empty())
      return kDone;
    errs() << "mhoc: error: " << error << "\n";
    return 1;
  }
  auto usage = [](const Twine &message) {
    errs() << "mhoc: " << message << "; mhoc --help lists the options\n";
    return 2;
  };
  if (model.empty())
    return usage("no model given");
  for (const cl::opt<std::string> *option :
       {&output, &calibrate, &report, &dumpPhases})
    if (option->getNumOccurrences() && option->empty())
      return usage("option '" + option->ArgStr + "' names no file");
  auto phase = phaseNamed(compileTo);
  if (!phase)
    return usage("--compile-to takes graph, analog, placed, tile or binary, "
                 "found '" +
                 compileTo + "'");
  if (output.empty() && !explain && report.empty() && dumpPhases.empty())
    return usage("no output given (-o)");
  if (output == "-" && *phase == Phase::Binary)
    return usage("a binary is not written to stdout; name a file with -o");
  if (!report.empty() && *phase != Phase::Binary)
    return usage("--report needs a whole program, not --compile-to=" +
                 compileTo);
  options.compile.model = model;
  options.compile.target = target;
  options.compile.readMode = readMode;
  options.compile.import.shapes.assign(shapes.begin(), shapes.end());
  options.compile.import.constants.assign(constants.begin(), constants.end());
  options.compile.import.loopBounds.assign(loopBounds.begin(),
                                           loopBounds.end());
  options.compile.import.readArray = readConstant;
  options.compile.configure = mlir::applyPassManagerCLOptions;
  options.compile.seed = seed;
  options.compile.dumpFolder = dumpPhases;
  options.output = output;
  options.calibrationFile = calibrate;
  options.report = report;
  options.stopAt = *phase;
  options.explain = explain;
  options.emitBytecode = emitBytecode;
  return 0;
}

} // namespace mho::mhoc
