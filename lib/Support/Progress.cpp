//===- Progress.cpp - a line that tells how far work is -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Support/Progress.h"

#include "mho/Support/Format.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

using namespace mho;
using namespace std::chrono_literals;

Progress::Progress(std::string title)
    : title(std::move(title)), terminal(::isatty(STDERR_FILENO) == 1),
      start(Clock::now()), shown(start) {}

Progress::~Progress() {
  if (visible)
    std::fputs("\r\033[K", stderr);
}

void Progress::update(double share) { update(share, {}); }

void Progress::update(double share, const std::string &detail) {
  if (!terminal)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  Clock::time_point now = Clock::now();
  if (now - start < 2s || (visible && now - shown < 100ms))
    return;
  shown = now;
  visible = true;
  share = std::clamp(share, 0.0, 1.0);
  double passed = std::chrono::duration<double>(now - start).count();
  std::string line = title + ": " + formatPercent(share);
  if (share > 0.01)
    line += ", " + formatTime(passed / share - passed) + " left";
  if (!detail.empty())
    line += " (" + detail + ")";
  // A line that wraps could not be taken back.
  std::fprintf(stderr, "\r\033[K%.78s", line.c_str());
  std::fflush(stderr);
}
