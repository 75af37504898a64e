//===- Progress.h - a line that tells how far work is ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_SUPPORT_PROGRESS_H
#define MHO_SUPPORT_PROGRESS_H

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace mho {

/// One line on stderr, only on a terminal and only where the work lasts over
/// two seconds; gone when the work is done. May be told from any thread.
class Progress {
public:
  explicit Progress(std::string title);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// What is being done now; nobody knows how long it takes.
  void step(const std::string &what);
  /// `share` of the step (of all work, where there are none) is done, in
  /// [0, 1].
  void update(double share);
  /// Takes the line away while `print` writes to the terminal.
  void pause(const std::function<void()> &print);

private:
  using Clock = std::chrono::steady_clock;
  void watch();
  void draw();
  void clear();

  const std::string title;
  const Clock::time_point start;
  std::mutex mutex;
  std::string what;
  double share = -1; ///< negative: unknown
  Clock::time_point shareStart;
  bool visible = false;
  bool done = false;
  std::condition_variable finished;
  std::thread watcher; ///< draws; only on a terminal
};

} // namespace mho

#endif // MHO_SUPPORT_PROGRESS_H
