//===- ProgressTest.cpp - the line on a terminal --------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Support/Progress.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <thread>
#include <unistd.h>

using namespace mho;
using namespace std::chrono_literals;

namespace {

const std::string kErase = "\r\033[K";

/// Makes stderr a terminal, or a pipe, as long as this lives.
class Captured {
public:
  explicit Captured(bool terminal) : before(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends = {-1, -1};
    bool made =
        terminal ? ::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) == 0
                 : ::pipe(ends.data()) == 0;
    EXPECT_TRUE(made);
    reader = ends[0];
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~Captured() {
    ::dup2(before, STDERR_FILENO);
    ::close(before);
    ::close(reader);
  }
  /// What was written since.
  std::string read() {
    std::string text;
    for (pollfd wait = {reader, POLLIN, 0}; ::poll(&wait, 1, 0) == 1;) {
      std::array<char, 256> buffer;
      ssize_t count = ::read(reader, buffer.data(), buffer.size());
      if (count <= 0)
        break;
      text.append(buffer.data(), size_t(count));
    }
    return text;
  }

  /// The same, when `text` is in it (or a machine's worst delays are over).
  std::string await(const std::string &text) {
    std::string all;
    for (int i = 0; i < 300 && all.find(text) == std::string::npos; ++i) {
      std::this_thread::sleep_for(50ms);
      all += read();
    }
    return all;
  }

private:
  int before, reader;
};

bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

} // namespace

TEST(Progress, TellsWhatIsDoneInLongWorkAndGoes) {
  Captured terminal(true);
  {
    Progress progress("tool");
    progress.step("thinking");
    std::this_thread::sleep_for(1s);
    EXPECT_EQ(terminal.read(), "");
    std::string line = kErase + "tool: thinking, ";
    std::string shown = terminal.await(line);
    EXPECT_NE(shown.find(line), std::string::npos) << shown;
    progress.update(0.5);
    shown = terminal.await(" left");
    EXPECT_NE(shown.find(line + "50"), std::string::npos) << shown;
    EXPECT_NE(shown.find(" left"), std::string::npos) << shown;
    // What others print finds an empty line.
    progress.pause([] { ::write(STDERR_FILENO, "note", 4); });
    EXPECT_NE(terminal.read().find(kErase + "note"), std::string::npos);
    terminal.await(line);
  }
  EXPECT_TRUE(endsWith(terminal.read(), kErase));
}

TEST(Progress, IsSilentInShortWork) {
  Captured terminal(true);
  {
    Progress progress("tool");
    progress.step("thinking");
    progress.update(0.5);
    progress.pause([] { ::write(STDERR_FILENO, "note", 4); });
  }
  EXPECT_EQ(terminal.read(), "note");
}

TEST(Progress, IsSilentInAPipe) {
  Captured pipe(false);
  {
    Progress progress("tool");
    progress.step("thinking");
    std::this_thread::sleep_for(2400ms);
    progress.update(0.5);
  }
  EXPECT_EQ(pipe.read(), "");
}
