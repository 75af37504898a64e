//===- Progress.cpp - a line that tells how far work is -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread of its own draws the line, so that it also lives in steps that have
// nothing to tell for long.
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
    : title(std::move(title)), start(Clock::now()), shareStart(start) {
  if (::isatty(STDERR_FILENO) == 1)
    watcher = std::thread([this] { watch(); });
}

Progress::~Progress() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
  }
  finished.notify_one();
  if (watcher.joinable())
    watcher.join();
}

void Progress::step(const std::string &what) {
  std::lock_guard<std::mutex> lock(mutex);
  this->what = what;
  share = -1;
}

void Progress::update(double share) {
  std::lock_guard<std::mutex> lock(mutex);
  if (this->share < 0)
    shareStart = what.empty() ? start : Clock::now();
  this->share = std::clamp(share, 0.0, 1.0);
}

void Progress::pause(const std::function<void()> &print) {
  std::lock_guard<std::mutex> lock(mutex);
  clear();
  print();
}

void Progress::watch() {
  std::unique_lock<std::mutex> lock(mutex);
  for (auto next = start + 2s;
       !finished.wait_until(lock, next, [this] { return done; });
       next = Clock::now() + 200ms)
    draw();
  clear();
}

void Progress::draw() {
  auto since = [](Clock::time_point when) {
    return std::chrono::duration<double>(Clock::now() - when).count();
  };
  std::string line = title + ": ";
  if (!what.empty())
    line += what + ", ";
  if (share < 0) {
    line += formatTime(since(start));
  } else {
    line += formatPercent(share);
    if (share > 0.01)
      line +=
          ", " + formatTime(since(shareStart) / share * (1 - share)) + " left";
  }
  // A line that wraps could not be taken back.
  std::fprintf(stderr, "\r\033[K%.78s", line.c_str());
  std::fflush(stderr);
  visible = true;
}

void Progress::clear() {
  if (!visible)
    return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  visible = false;
}
