//===- Operators.cpp - the operators that the importer knows --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Import/ONNX/Operators.h"

#include "Families.h"
#include "Microsoft.h"
#include "NGrams.h"
#include "Sequences.h"

#include "onnx/defs/schema.h"

#include <map>
#include <set>

namespace mho {

namespace import {

static constexpr Family kFamilies[] = {
    {"kernel", addElementwise},
    {"kernel", addMath},
    {"kernel", addActivations},
    {"kernel", addNormalizations},
    {"array, contract", addEinsum},
    {"contract, kernel", addTransforms},
    {"contract, kernel", addAttention},
    {"kernel", addLosses},
    {"kernel", addRandom},
    {"kernel", addOptimizers},
    {"array, contract", addProducts},
    {"array, contract", addConvolutions},
    {"kernel, copy", addMovement},
    {"kernel, scatter", addIndexing},
    {"sort, topk, compact, kernel", addSelection},
    {"kernel", addPooling},
    {"array, contract, kernel", addTransposedConvolutions},
    {"kernel", addResizing},
    {"kernel", addSampling},
    {"kernel", addRegionPooling},
    {"kernel", addShaping},
    {"kernel", addReductions},
    {"array, kernel, loop", addRecurrences},
    {"kernel", addQuantization},
    {"kernel", addCasts},
    {"contract, kernel", addQuantizedProducts},
    {"kernel", addQuantizedContrib},
    {"kernel", addMicrosoftElementwise},
    {"array, contract", addMicrosoftProducts},
    {"kernel", addMicrosoftNormalizations},
    {"array, contract, kernel", addMicrosoftAttention},
    {"array, kernel", addMicrosoftExperts},
    {"kernel", addTrees},
    {"array, contract", addLinearModels},
    {"array, contract, kernel", addSupportVectors},
    {"kernel", addFeatures},
    {"kernel", addNGrams},
    {"folded", addSequences},
};

llvm::ArrayRef<Family> families() { return kFamilies; }

} // namespace import

/// What the importer itself expands.
static constexpr const char *kControlFlow[] = {"If", "Loop", "Scan",
                                               "SequenceMap"};

std::vector<OperatorInfo> listOperators() {
  std::map<std::pair<std::string, std::string>, OperatorInfo> all;
  auto info = [&](const std::string &domain,
                  const std::string &name) -> OperatorInfo & {
    OperatorInfo &found = all[{domain, name}];
    found.domain = domain;
    found.name = name;
    return found;
  };
  import::HandlerTable known;
  for (const import::Family &family : import::families()) {
    import::HandlerTable own;
    family.add(own);
    for (const auto &entry : own) {
      auto [domain, name] = entry.getKey().rsplit('.');
      OperatorInfo &found = info(domain.str(), name.str());
      found.source = OperatorSource::Handler;
      found.where = family.where;
    }
  }
  for (const char *name : kControlFlow) {
    OperatorInfo &found = info("", name);
    found.source = OperatorSource::Handler;
    found.where = "branch, loop";
  }
  std::map<std::pair<std::string, std::string>, std::set<int>> versions;
  for (const onnx::OpSchema &schema :
       onnx::OpSchemaRegistry::get_all_schemas_with_history()) {
    std::pair key(schema.domain(), schema.Name());
    versions[key].insert(schema.SinceVersion());
    const onnx::OpSchema *newest =
        onnx::OpSchemaRegistry::Schema(key.second, key.first);
    if (all.count(key) || !newest || newest->Deprecated())
      continue;
    OperatorInfo &found = info(key.first, key.second);
    if (newest->HasFunction() || newest->HasContextDependentFunction())
      found.source = OperatorSource::Function, found.where = "body";
  }
  std::vector<OperatorInfo> list;
  for (auto &[key, operatorInfo] : all) {
    const std::set<int> &since = versions[key];
    operatorInfo.versions.assign(since.begin(), since.end());
    list.push_back(std::move(operatorInfo));
  }
  return list;
}

} // namespace mho
