//===- WireFormat.cpp - takes big weights out of a model's bytes ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WireFormat.h"

#include <cstdint>
#include <optional>

using llvm::StringRef;

namespace mho::import {

namespace {

constexpr size_t kLargeBytes = 1024;
constexpr int kMaximumDepth = 64;

/// Messages on the way to a tensor; `Leaf` is everything else.
enum class Kind { Model, Graph, Node, Attribute, Function, Tensor, Leaf };

Kind childKind(Kind kind, uint64_t field) {
  switch (kind) {
  case Kind::Model:
    return field == 7 ? Kind::Graph : field == 25 ? Kind::Function : Kind::Leaf;
  case Kind::Graph:
    return field == 1 ? Kind::Node : field == 5 ? Kind::Tensor : Kind::Leaf;
  case Kind::Function:
    return field == 7 ? Kind::Node : Kind::Leaf;
  case Kind::Node:
    return field == 5 ? Kind::Attribute : Kind::Leaf;
  case Kind::Attribute:
    return field == 5 || field == 10   ? Kind::Tensor
           : field == 6 || field == 11 ? Kind::Graph
                                       : Kind::Leaf;
  default:
    return Kind::Leaf;
  }
}

void putVarint(std::string &out, uint64_t value) {
  for (; value >= 128; value >>= 7)
    out.push_back(char(value | 128));
  out.push_back(char(value));
}

void putBytes(std::string &out, unsigned field, StringRef bytes) {
  putVarint(out, field << 3 | 2);
  putVarint(out, bytes.size());
  out.append(bytes.begin(), bytes.end());
}

class Walk {
public:
  explicit Walk(StringRef file) : file(file) {}

  bool message(StringRef in, Kind kind, int depth, std::string &out) {
    if (depth > kMaximumDepth)
      return false;
    bool mapped = false;
    while (!in.empty()) {
      StringRef field = in;
      auto tag = varint(in);
      if (!tag || (*tag >> 3) == 0)
        return false;
      switch (*tag & 7) {
      case 0:
        if (!varint(in))
          return false;
        break;
      case 1:
      case 5: {
        size_t width = (*tag & 7) == 1 ? 8 : 4;
        if (in.size() < width)
          return false;
        in = in.drop_front(width);
        break;
      }
      case 2: {
        auto length = varint(in);
        if (!length || *length > in.size())
          return false;
        StringRef body = in.take_front(*length);
        in = in.drop_front(*length);
        if (!payload(body, kind, *tag >> 3, depth, mapped, out))
          return false;
        continue;
      }
      default:
        return false;
      }
      out.append(field.data(), in.data());
    }
    if (mapped) {
      // At the end, since a file may say of its own where the data are: the
      // last one counts.
      putVarint(out, 14 << 3);
      putVarint(out, 1);
    }
    return true;
  }

private:
  /// Notes in `mapped` that the bytes of a tensor have stayed in the file.
  bool payload(StringRef body, Kind kind, uint64_t field, int depth,
               bool &mapped, std::string &out) {
    if (kind == Kind::Tensor && field == 9 && body.size() >= kLargeBytes) {
      std::string entry, place = std::to_string(body.data() - file.data()) +
                                 ":" + std::to_string(body.size());
      putBytes(entry, 1, kMappedKey);
      putBytes(entry, 2, place);
      putBytes(out, 13, entry);
      mapped = true;
      return true;
    }
    if (kind == Kind::Tensor && field == 13 && body.contains(kMappedKey))
      return false;
    Kind child = childKind(kind, field);
    if (child == Kind::Leaf) {
      putVarint(out, field << 3 | 2);
      putVarint(out, body.size());
      out.append(body.begin(), body.end());
      return true;
    }
    std::string inner;
    if (!message(body, child, depth + 1, inner))
      return false;
    putVarint(out, field << 3 | 2);
    putVarint(out, inner.size());
    out += inner;
    return true;
  }

  static std::optional<uint64_t> varint(StringRef &in) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
      uint8_t byte = in.front();
      in = in.drop_front();
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128)
        return value;
    }
    return std::nullopt;
  }

  StringRef file;
};

} // namespace

bool stripModel(StringRef bytes, std::string &out) {
  return Walk(bytes).message(bytes, Kind::Model, 0, out);
}

} // namespace mho::import
