//===- YamlTree.cpp - a YAML file as a tree with places -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "YamlTree.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/YAMLParser.h"

using namespace llvm;
using namespace mho;

const YamlNode *YamlNode::find(StringRef key) const {
  for (const auto &[name, value] : entries)
    if (name.scalar == key)
      return &value;
  return nullptr;
}

/// Copies LLVM's one-pass stream, whose text starts at `begin`, into a tree;
/// depth is limited because the file is a user's.
static bool copyNode(yaml::Node *node, YamlNode &to, const char *begin,
                     unsigned depth) {
  if (!node || depth > 16)
    return false;
  to.place = node->getSourceRange().Start;
  // A flow collection's range begins behind its bracket.
  if (isa<yaml::MappingNode, yaml::SequenceNode>(node) &&
      to.place.getPointer() > begin &&
      StringRef("{[").contains(to.place.getPointer()[-1]))
    to.place = SMLoc::getFromPointer(to.place.getPointer() - 1);
  if (auto *scalar = dyn_cast<yaml::ScalarNode>(node)) {
    SmallString<64> storage;
    to.scalar = scalar->getValue(storage).str();
    return true;
  }
  if (isa<yaml::NullNode>(node))
    return true;
  if (auto *map = dyn_cast<yaml::MappingNode>(node)) {
    to.kind = YamlNode::Kind::Map;
    for (yaml::KeyValueNode &entry : *map) {
      auto &[key, value] = to.entries.emplace_back();
      if (!copyNode(entry.getKey(), key, begin, depth + 1) ||
          !copyNode(entry.getValue(), value, begin, depth + 1))
        return false;
    }
    return true;
  }
  if (auto *list = dyn_cast<yaml::SequenceNode>(node)) {
    to.kind = YamlNode::Kind::List;
    for (yaml::Node &item : *list)
      if (!copyNode(&item, to.items.emplace_back(), begin, depth + 1))
        return false;
    return true;
  }
  return false;
}

mho::Expected<std::unique_ptr<YamlFile>> YamlFile::parse(StringRef text,
                                                         StringRef file) {
  auto result = std::make_unique<YamlFile>();
  result->name = file.str();
  std::string problem;
  result->sources.setDiagHandler(
      [](const SMDiagnostic &diagnostic, void *context) {
        auto *message = static_cast<std::string *>(context);
        if (message->empty())
          *message =
              (diagnostic.getFilename() + ":" + Twine(diagnostic.getLineNo()) +
               ":" + Twine(diagnostic.getColumnNo() + 1) + ": " +
               diagnostic.getMessage())
                  .str();
      },
      &problem);
  unsigned id = result->sources.AddNewSourceBuffer(
      MemoryBuffer::getMemBufferCopy(text, file), SMLoc());
  yaml::Stream stream(result->sources.getMemoryBuffer(id)->getMemBufferRef(),
                      result->sources);
  auto document = stream.begin();
  bool copied =
      document != stream.end() &&
      copyNode(document->getRoot(), result->tree,
               result->sources.getMemoryBuffer(id)->getBufferStart(), 0);
  if (stream.failed() || !copied || !problem.empty())
    return failure(problem.empty() ? result->name + ": not a YAML chip file"
                                   : problem);
  return result;
}

Status YamlFile::error(const YamlNode &at, const std::string &message) const {
  if (!at.place.isValid())
    return failure(name + ": " + message);
  auto [line, column] = sources.getLineAndColumn(at.place);
  return failure(name + ":" + std::to_string(line) + ":" +
                 std::to_string(column) + ": " + message);
}
