//===- YamlTree.h - a YAML file as a tree with places ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_CHIP_YAMLTREE_H
#define MHO_LIB_CHIP_YAMLTREE_H

#include "mho/Support/Status.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"
#include "llvm/Support/SourceMgr.h"

#include <memory>
#include <string>
#include <vector>

namespace mho {

struct YamlEntry;

/// One node of a YAML document and where it stands.
struct YamlNode {
  enum class Kind { Scalar, Map, List } kind = Kind::Scalar;
  std::string scalar;
  std::vector<YamlEntry> entries; ///< of a map, in order
  std::vector<YamlNode> items;    ///< of a list
  llvm::SMLoc place;

  const YamlNode *find(llvm::StringRef key) const;
};

struct YamlEntry {
  YamlNode key, value;
};

/// A parsed file: its tree, and "file:line:column: …" for messages.
class YamlFile {
public:
  static Expected<std::unique_ptr<YamlFile>> parse(llvm::StringRef text,
                                                   llvm::StringRef file);
  const YamlNode &root() const { return tree; }
  Status error(const YamlNode &at, const std::string &message) const;

private:
  std::string name;
  llvm::SourceMgr sources;
  YamlNode tree;
};

} // namespace mho

#endif // MHO_LIB_CHIP_YAMLTREE_H
