//===- Status.h - errors as values, for both sides of the toolchain -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `Status` carries either success or one message a user can act on;
// `Expected<T>` a value or such a message. Neither knows LLVM, so the runtime
// and the container use them too.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_SUPPORT_STATUS_H
#define MHO_SUPPORT_STATUS_H

#include <optional>
#include <string>
#include <utility>

namespace mho {

/// Success, or the message of a failure. Messages follow LLVM's style: first
/// sentence in lower case, no full stop, what is wrong and what would be
/// right.
class [[nodiscard]] Status {
public:
  Status() = default;
  static Status failure(std::string message) {
    Status status;
    status.text = std::move(message);
    return status;
  }

  bool ok() const { return !text.has_value(); }
  /// The message of a failure; empty on success.
  const std::string &message() const {
    static const std::string none;
    return text ? *text : none;
  }
  /// The same failure with `prefix: ` in front; success stays success.
  Status within(const std::string &prefix) && {
    if (text)
      text = prefix + ": " + *text;
    return std::move(*this);
  }

private:
  std::optional<std::string> text;
};

/// A template, so that where MLIR's `success` is visible too that one is meant.
template <int = 0> inline Status success() { return {}; }
inline Status failure(std::string message) {
  return Status::failure(std::move(message));
}

/// A value of type T or a failed `Status`.
template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : held(std::move(value)) {}
  Expected(Status failed) : error(std::move(failed)) {}

  bool ok() const { return held.has_value(); }
  explicit operator bool() const { return ok(); }
  T &operator*() { return *held; }
  const T &operator*() const { return *held; }
  T *operator->() { return &*held; }
  const T *operator->() const { return &*held; }
  const Status &status() const { return error; }
  const std::string &message() const { return error.message(); }

private:
  std::optional<T> held;
  Status error;
};

} // namespace mho

#endif // MHO_SUPPORT_STATUS_H
