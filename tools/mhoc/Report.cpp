//===- Report.cpp - what one run will cost --------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "mho/Runtime/LoadedProgram.h"
#include "mho/Runtime/Report.h"
#include "mho/Runtime/Timeline.h"
#include "mho/Support/TemporaryFile.h"

namespace mho::mhoc {

Status writeReport(const std::string &program, const std::string &report) {
  auto loaded = rt::loadProgram(program);
  if (!loaded.ok())
    return loaded.status();
  rt::TimelineResult timeline = rt::runTimeline(**loaded);
  auto json = rt::buildReport(**loaded, timeline, rt::ReportSettings(), {});
  return writeFileAtomically(report, rt::reportFile(json, report));
}

} // namespace mho::mhoc
