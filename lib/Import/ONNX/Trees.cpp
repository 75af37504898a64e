//===- Trees.cpp - ensembles of decision trees ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All forms become one table of nodes. A walk through it ends at a leaf, whose
// votes are gathered and summed over the trees.
//
//===----------------------------------------------------------------------===//

#include "PostTransform.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include "mlir/IR/Matchers.h"

#include <cmath>
#include <map>

using namespace mlir;

namespace mho::import {

namespace {

/// Bits of graph.tree_leaves' outcomes.
enum Outcome : int32_t { Below = 1, Equal = 2, Above = 4, Missing = 8 };

struct Forest {
  SmallVector<int32_t> features, outcomes, children, roots;
  SmallVector<double> thresholds;
  /// Per node: targets it votes for and the votes' weights.
  SmallVector<SmallVector<std::pair<int64_t, double>, 1>> votes;
  int64_t targets = 0;

  int64_t size() const { return features.size(); }
  /// A new node, a leaf until it is given children.
  int32_t add() {
    int32_t node = size();
    features.push_back(0);
    outcomes.push_back(0);
    thresholds.push_back(0);
    children.append({node, node});
    votes.emplace_back();
    return node;
  }
  void branch(int32_t node, int64_t feature, double threshold, int32_t taken,
              int32_t no, int32_t yes) {
    // What does not fit is no feature, and found to be none later.
    features[node] = int32_t(std::clamp<int64_t>(feature, -1, INT32_MAX));
    thresholds[node] = threshold;
    outcomes[node] = taken;
    children[2 * node] = no;
    children[2 * node + 1] = yes;
  }
};

int32_t outcomesOf(Node &n, StringRef mode, bool missingTracksTrue) {
  int32_t missing = missingTracksTrue ? Missing : 0;
  if (mode == "BRANCH_LEQ")
    return Below | Equal | missing;
  if (mode == "BRANCH_LT")
    return Below | missing;
  if (mode == "BRANCH_GTE")
    return Above | Equal | missing;
  if (mode == "BRANCH_GT")
    return Above | missing;
  if (mode == "BRANCH_EQ")
    return Equal | missing;
  if (mode == "BRANCH_NEQ")
    return Below | Above | Missing;
  n.fail("a node's mode is '" + mode +
         "', which is none of BRANCH_LEQ, "
         "BRANCH_LT, BRANCH_GTE, BRANCH_GT, BRANCH_EQ, BRANCH_NEQ and LEAF");
}

Shape integerList(Node &n, StringRef name, size_t expected) {
  Shape list = n.integers(name).value_or(Shape());
  if (list.size() != expected)
    n.fail("attribute '" + name + "' has " + Twine(list.size()) +
           " entries for " + Twine(expected) + " nodes");
  return list;
}

/// Steps of the longest walk; fails where walks do not end.
int64_t depthOf(Node &n, const Forest &forest) {
  constexpr int64_t unknown = -1, open = -2;
  std::vector<int64_t> heights(forest.size(), unknown);
  SmallVector<int32_t> stack(forest.roots);
  int64_t depth = 1;
  while (!stack.empty()) {
    int32_t node = stack.back();
    int32_t no = forest.children[2 * node], yes = forest.children[2 * node + 1];
    if (heights[node] == unknown && no != node) {
      heights[node] = open;
      for (int32_t child : {no, yes}) {
        if (heights[child] == open)
          n.fail("the tree's nodes run in a circle");
        if (heights[child] == unknown)
          stack.push_back(child);
      }
      continue;
    }
    stack.pop_back();
    if (heights[node] >= 0)
      continue;
    heights[node] = no == node ? 0 : 1 + std::max(heights[no], heights[yes]);
    depth = std::max(depth, heights[node]);
  }
  return depth;
}

/// The form of opsets 1 and 3: nodes named by tree and number, votes apart.
Forest namedForest(Node &n, StringRef votes, int64_t targets) {
  Forest forest;
  forest.targets = targets;
  Shape trees = n.integers("nodes_treeids").value_or(Shape());
  size_t count = trees.size();
  Shape ids = integerList(n, "nodes_nodeids", count);
  Shape features = integerList(n, "nodes_featureids", count);
  Shape yes = integerList(n, "nodes_truenodeids", count);
  Shape no = integerList(n, "nodes_falsenodeids", count);
  Shape missing = n.has("nodes_missing_value_tracks_true")
                      ? integerList(n, "nodes_missing_value_tracks_true", count)
                      : Shape(count, 0);
  SmallVector<double> values =
      numbers(n, n.has("nodes_values_as_tensor") ? "nodes_values_as_tensor"
                                                 : "nodes_values");
  const auto *modes = n.attribute("nodes_modes");
  if (values.size() != count || !modes ||
      size_t(modes->strings_size()) != count)
    n.fail("attributes 'nodes_values' and 'nodes_modes' need one entry for "
           "each of the " +
           Twine(count) + " nodes");
  std::map<std::pair<int64_t, int64_t>, int32_t> named;
  for (size_t i = 0; i < count; ++i)
    if (!named.emplace(std::pair(trees[i], ids[i]), forest.add()).second)
      n.fail("node " + Twine(ids[i]) + " of tree " + Twine(trees[i]) +
             " is given twice");
  auto find = [&](int64_t tree, int64_t id) {
    auto at = named.find({tree, id});
    if (at == named.end())
      n.fail("there is no node " + Twine(id) + " in tree " + Twine(tree));
    return at->second;
  };
  std::vector<bool> isChild(count, false);
  for (size_t i = 0; i < count; ++i) {
    StringRef mode = modes->strings(i);
    if (mode == "LEAF")
      continue;
    int32_t first = find(trees[i], no[i]), second = find(trees[i], yes[i]);
    isChild[first] = isChild[second] = true;
    forest.branch(i, features[i], values[i], outcomesOf(n, mode, missing[i]),
                  first, second);
  }
  std::map<int64_t, int32_t> roots;
  for (size_t i = 0; i < count; ++i)
    if (!isChild[i] && roots.emplace(trees[i], i).second)
      forest.roots.push_back(i);
  Shape voters = n.integers((votes + "_treeids").str()).value_or(Shape());
  Shape at = integerList(n, (votes + "_nodeids").str(), voters.size());
  Shape to = integerList(n, (votes + "_ids").str(), voters.size());
  std::string name = (votes + "_weights").str();
  SmallVector<double> weights =
      numbers(n, n.has(name + "_as_tensor") ? name + "_as_tensor" : name);
  if (weights.size() != voters.size())
    n.fail("attribute '" + name + "' has " + Twine(weights.size()) +
           " entries for " + Twine(voters.size()) + " votes");
  for (size_t i = 0; i < voters.size(); ++i) {
    if (to[i] < 0 || to[i] >= targets)
      n.fail("a vote is for target " + Twine(to[i]) + " of " + Twine(targets));
    forest.votes[find(voters[i], at[i])].push_back({to[i], weights[i]});
  }
  return forest;
}

/// The form of opset 5: nodes and leaves apart, addressed by their places. A
/// test for members of a set is a chain of tests for equality.
class NumberedForest {
public:
  explicit NumberedForest(Node &n) : n(n) {
    features = n.integers("nodes_featureids").value_or(Shape());
    size_t count = features.size();
    yes = integerList(n, "nodes_truenodeids", count);
    no = integerList(n, "nodes_falsenodeids", count);
    yesLeaf = integerList(n, "nodes_trueleafs", count);
    noLeaf = integerList(n, "nodes_falseleafs", count);
    missing = n.has("nodes_missing_value_tracks_true")
                  ? integerList(n, "nodes_missing_value_tracks_true", count)
                  : Shape(count, 0);
    splits = numbers(n, "nodes_splits");
    modes = numbers(n, "nodes_modes");
    if (splits.size() != count || modes.size() != count)
      n.fail("attributes 'nodes_splits' and 'nodes_modes' need one entry for "
             "each of the " +
             Twine(count) + " nodes");
    readMembers();
  }

  Forest build() {
    forest.targets = n.integer("n_targets", 1);
    SmallVector<double> weights = numbers(n, "leaf_weights");
    Shape targets = integerList(n, "leaf_targetids", weights.size());
    for (size_t i = 0; i < features.size(); ++i)
      forest.add();
    for (size_t i = 0; i < weights.size(); ++i) {
      if (targets[i] < 0 || targets[i] >= forest.targets)
        n.fail("a leaf votes for target " + Twine(targets[i]) + " of " +
               Twine(forest.targets));
      forest.votes[forest.add()].push_back({targets[i], weights[i]});
    }
    leaves = weights.size();
    for (size_t i = 0; i < features.size(); ++i)
      addNode(i);
    for (int64_t root : n.integers("tree_roots").value_or(Shape()))
      forest.roots.push_back(place(root, false));
    return std::move(forest);
  }

private:
  static constexpr int kMember = 6;

  void readMembers() {
    SmallVector<double> all = numbers(n, "membership_values");
    size_t next = 0;
    for (size_t i = 0; i < modes.size(); ++i) {
      members.emplace_back();
      if (modes[i] != kMember)
        continue;
      while (next < all.size() && !std::isnan(all[next]))
        members.back().push_back(all[next++]);
      ++next;
    }
  }

  int32_t place(int64_t at, bool leaf) {
    int64_t limit = leaf ? leaves : int64_t(features.size());
    if (at < 0 || at >= limit)
      n.fail("a child or root is " + Twine(leaf ? "leaf " : "node ") +
             Twine(at) + " of " + Twine(limit));
    return int32_t(leaf ? at + int64_t(features.size()) : at);
  }

  void addNode(size_t i) {
    static constexpr StringLiteral names[] = {"BRANCH_LEQ", "BRANCH_LT",
                                              "BRANCH_GTE", "BRANCH_GT",
                                              "BRANCH_EQ",  "BRANCH_NEQ"};
    int32_t first = place(no[i], noLeaf[i]), second = place(yes[i], yesLeaf[i]);
    if (modes[i] != kMember) {
      if (!(modes[i] >= 0 && modes[i] <= kMember))
        n.fail("a node's mode is " + std::to_string(modes[i]) +
               ", which is not one of 0 to 6");
      return forest.branch(i, features[i], splits[i],
                           outcomesOf(n, names[int(modes[i])], missing[i]),
                           first, second);
    }
    // Without members, no value takes the branch.
    int32_t node = i;
    int32_t absent = missing[i] ? Missing : 0;
    if (members[i].empty())
      return forest.branch(node, features[i], 0, absent, first, second);
    for (auto [k, value] : llvm::enumerate(members[i])) {
      bool last = k + 1 == members[i].size();
      int32_t next = last ? first : forest.add();
      forest.branch(node, features[i], value, Equal | absent, next, second);
      node = next;
    }
  }

  Node &n;
  Shape features, yes, no, yesLeaf, noLeaf, missing;
  SmallVector<double> splits, modes;
  SmallVector<SmallVector<double>> members;
  Forest forest;
  int64_t leaves = 0;
};

Value integerTable(Node &n, ArrayRef<int32_t> values) {
  return n.constant(DenseElementsAttr::get(
      n.typeOf({int64_t(values.size())}, n.b.getI32Type()), values));
}

enum class Aggregate { Average, Sum, Min, Max };

Aggregate aggregateOf(Node &n, StringRef name) {
  if (name == "AVERAGE")
    return Aggregate::Average;
  if (name == "SUM")
    return Aggregate::Sum;
  if (name == "MIN")
    return Aggregate::Min;
  if (name == "MAX")
    return Aggregate::Max;
  n.fail("aggregate_function is AVERAGE, SUM, MIN or MAX, found '" + name +
         "'");
}

/// Votes of the leaves that x reaches, over all trees: [samples, targets].
Value scoresOf(Node &n, Value x, const Forest &forest, Aggregate aggregate) {
  if (n.type(x).getRank() == 1)
    x = n.reshape(x, {1, n.shape(x)[0]});
  if (n.type(x).getRank() != 2)
    n.fail("expected samples of features, found rank " +
           Twine(n.type(x).getRank()));
  int64_t samples = n.shape(x)[0], trees = forest.roots.size();
  if (!trees)
    n.fail("the ensemble has no tree");
  for (int32_t feature : forest.features)
    if (feature < 0 || feature >= n.shape(x)[1])
      n.fail("a node looks at feature " + Twine(feature) + " of " +
             Twine(n.shape(x)[1]));
  Type element = n.element(x);
  Value leaves = n.make<graph::TreeLeavesOp>(
      n.typeOf({samples, trees}, n.b.getI32Type()), x,
      integerTable(n, forest.features),
      floatConstant(n, {forest.size()}, forest.thresholds, element),
      integerTable(n, forest.outcomes), integerTable(n, forest.children),
      integerTable(n, forest.roots), n.b.getI64IntegerAttr(depthOf(n, forest)));
  // Who has no vote wins no minimum and no maximum.
  bool extreme = aggregate == Aggregate::Min || aggregate == Aggregate::Max;
  double nothing = aggregate == Aggregate::Min   ? INFINITY
                   : aggregate == Aggregate::Max ? -INFINITY
                                                 : 0;
  if (forest.targets < 1)
    n.fail("n_targets is " + Twine(forest.targets) + ", expected 1 or more");
  n.expectTable({forest.size(), forest.targets});
  SmallVector<double> table(forest.size() * forest.targets, nothing);
  for (int64_t node = 0; node < forest.size(); ++node)
    for (auto [target, weight] : forest.votes[node]) {
      double &entry = table[node * forest.targets + target];
      entry = extreme && entry != nothing
                  ? (aggregate == Aggregate::Min ? std::min(entry, weight)
                                                 : std::max(entry, weight))
              : extreme ? weight
                        : entry + weight;
    }
  Value weights =
      floatConstant(n, {forest.size(), forest.targets}, table, element);
  Value votes = n.make<graph::GatherOp>(
      n.typeOf({samples, trees, forest.targets}, element), weights, leaves,
      n.b.getI64IntegerAttr(0));
  auto type = n.typeOf({samples, forest.targets}, element);
  auto axes = n.b.getDenseI64ArrayAttr({1});
  switch (aggregate) {
  case Aggregate::Average:
    return n.make<graph::ReduceMeanOp>(type, votes, axes, UnitAttr());
  case Aggregate::Sum:
    return n.make<graph::ReduceSumOp>(type, votes, axes, UnitAttr());
  default:
    break;
  }
  Value best = aggregate == Aggregate::Min
                   ? n.make<graph::ReduceMinOp>(type, votes, axes, UnitAttr())
                   : n.make<graph::ReduceMaxOp>(type, votes, axes, UnitAttr());
  Value none = n.binary<graph::EqualOp>(best, n.scalar(element, nothing),
                                        n.b.getI1Type());
  return n.make<graph::WhereOp>(type, none, n.scalar(element, 0), best);
}

Value withBase(Node &n, Value scores) {
  SmallVector<double> base =
      numbers(n, n.has("base_values_as_tensor") ? "base_values_as_tensor"
                                                : "base_values");
  if (base.empty())
    return scores;
  int64_t targets = n.shape(scores)[1];
  if (base.size() != 1 && int64_t(base.size()) != targets)
    n.fail("base_values has " + Twine(base.size()) + " entries for " +
           Twine(targets) + " targets");
  if (base.size() == 1 && targets > 1)
    base.resize(targets, 0);
  return n.binary<graph::AddOp>(scores, floatConstant(n, {int64_t(base.size())},
                                                      base, n.element(scores)));
}

void treeEnsemble(Node &n) {
  static constexpr StringLiteral aggregates[] = {"AVERAGE", "SUM", "MIN",
                                                 "MAX"};
  static constexpr StringLiteral transforms[] = {"NONE", "SOFTMAX", "LOGISTIC",
                                                 "SOFTMAX_ZERO", "PROBIT"};
  int64_t aggregate = n.integer("aggregate_function", 1);
  int64_t transform = n.integer("post_transform", 0);
  if (aggregate < 0 || aggregate > 3)
    n.fail("aggregate_function is 0 to 3, found " + Twine(aggregate));
  if (transform < 0 || transform > 4)
    n.fail("post_transform is 0 to 4, found " + Twine(transform));
  Value x = n.input(0);
  Forest forest = NumberedForest(n).build();
  Value scores = scoresOf(n, asFloats(n, x), forest,
                          aggregateOf(n, aggregates[aggregate]));
  n.result(n.cast(transformed(n, scores, transforms[transform]), n.element(x)));
}

void treeEnsembleRegressor(Node &n) {
  Forest forest = namedForest(n, "target", n.integer("n_targets", 1));
  Value scores =
      scoresOf(n, asFloats(n, n.input(0)), forest,
               aggregateOf(n, n.string("aggregate_function", "SUM")));
  Value y =
      transformed(n, withBase(n, scores), n.string("post_transform", "NONE"));
  n.result(n.cast(y, n.b.getF32Type()));
}

/// The class that all votes are for, if there is but one.
std::optional<int64_t> onlyClass(const Forest &forest) {
  std::optional<int64_t> only;
  for (const auto &votes : forest.votes)
    for (auto [target, weight] : votes) {
      if (only && *only != target)
        return std::nullopt;
      only = target;
    }
  return only;
}

/// Two classes with votes for one: its score decides, and stands for the other
/// class's too, as ONNX Runtime has it.
void binaryClassifier(Node &n, const Forest &forest, Value scores, int64_t only,
                      ArrayRef<int64_t> labels, StringRef transform) {
  bool positive = true;
  for (const auto &votes : forest.votes)
    for (auto [target, weight] : votes)
      positive &= weight >= 0;
  int64_t samples = n.shape(scores)[0];
  Type element = n.element(scores);
  Value score = n.make<graph::SliceOp>(n.typeOf({samples, 1}, element), scores,
                                       n.b.getDenseI64ArrayAttr({0, only}),
                                       n.b.getDenseI64ArrayAttr({1, 1}));
  Value taken = n.binary<graph::GreaterOp>(
      score, n.scalar(element, positive ? 0.5 : 0), n.b.getI1Type());
  n.result(labels.size() == 1 ? eitherLabel(n, taken, 1, 0)
                              : eitherLabel(n, taken, labels[1], labels[0]));
  if (only == 1 || labels.size() == 1)
    return n.result(
        n.cast(transformed(n, scores, transform), n.b.getF32Type()));
  if (transform == "PROBIT")
    n.refuse("PROBIT with votes for one of two classes is not supported");
  Value other = n.make<graph::NegOp>(score.getType(), score);
  if (transform == "LOGISTIC") {
    score = transformed(n, score, transform);
    other = transformed(n, other, transform);
  } else if (positive) {
    other = n.binary<graph::AddOp>(other, n.scalar(element, 1));
  }
  Value both = n.make<graph::ConcatOp>(n.typeOf({samples, 2}, element),
                                       ValueRange{other, score},
                                       n.b.getI64IntegerAttr(1));
  n.result(n.cast(both, n.b.getF32Type()));
}

void treeEnsembleClassifier(Node &n) {
  Shape labels = integerLabels(n, "classlabels_int64s", "classlabels_strings");
  Forest forest = namedForest(n, "class", labels.size());
  Value scores =
      withBase(n, scoresOf(n, asFloats(n, n.input(0)), forest, Aggregate::Sum));
  std::string transform = n.string("post_transform", "NONE");
  std::optional<int64_t> only = onlyClass(forest);
  if (labels.size() <= 2 && only)
    return binaryClassifier(n, forest, scores, *only, labels, transform);
  n.result(topLabel(n, scores, labels));
  n.result(n.cast(transformed(n, scores, transform), n.b.getF32Type()));
}

} // namespace

void addTrees(HandlerTable &table) {
  table["ai.onnx.ml.TreeEnsemble"] = treeEnsemble;
  table["ai.onnx.ml.TreeEnsembleRegressor"] = treeEnsembleRegressor;
  table["ai.onnx.ml.TreeEnsembleClassifier"] = treeEnsembleClassifier;
}

} // namespace mho::import
