//===- Progress.h - a line that tells how far work is ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_SUPPORT_PROGRESS_H
#define MHO_SUPPORT_PROGRESS_H

#include <chrono>
#include <mutex>
#include <string>

namespace mho {

/// One line on stderr, only on a terminal and only where the work lasts over
/// two seconds; gone when the work is done. May be told from any thread.
class Progress {
public:
  explicit Progress(std::string title);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// `share` of the work is done, in [0, 1].
  void update(double share);
  /// As above, with what is being done now.
  void update(double share, const std::string &detail);

private:
  using Clock = std::chrono::steady_clock;
  const std::string title;
  const bool terminal;
  const Clock::time_point start;
  std::mutex mutex;
  Clock::time_point shown;
  bool visible = false;
};

} // namespace mho

#endif // MHO_SUPPORT_PROGRESS_H
