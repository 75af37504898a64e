//===- ParseChip.cpp - chip files into the container's chip section -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every number of a chip file is {value, unit, source, kind}. Keys that are
// not known, units that do not fit and numbers out of range are errors with
// their place; every number read is noted as a fact for reports.
//
//===----------------------------------------------------------------------===//

#include "YamlTree.h"

#include "mho/Chip/ChipModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <cmath>
#include <limits>
#include <set>

using namespace llvm;
using namespace mho;

namespace {

/// A unit: what it measures and its size in the unit the container uses (ns,
/// nJ, pJ/B, …: the first of each quantity).
struct Unit {
  StringRef name, quantity;
  double factor;
};

constexpr double kLargest = 1e18;

const Unit units[] = {
    {"1", "number", 1},
    {"bit", "bits", 1},
    {"ns", "time in ns", 1},
    {"us", "time in ns", 1e3},
    {"ms", "time in ns", 1e6},
    {"s", "time in ns", 1e9},
    {"nJ", "energy in nJ", 1},
    {"pJ", "energy in nJ", 1e-3},
    {"uJ", "energy in nJ", 1e3},
    {"fJ", "energy in nJ", 1e-6},
    {"mm2", "area", 1},
    {"um2", "area", 1e-6},
    {"W", "power", 1},
    {"mW", "power", 1e-3},
    {"GHz", "frequency", 1},
    {"MHz", "frequency", 1e-3},
    {"GB/s", "bandwidth", 1},
    {"MB/s", "bandwidth", 1e-3},
    {"Gbit/s", "bandwidth", 0.125},
    {"pJ/B", "energy per byte", 1},
    {"fJ/B", "energy per byte", 1e-3},
    {"uS", "conductance", 1},
    {"nS", "conductance", 1e-3},
    {"C", "temperature", 1},
    {"V", "voltage", 1},
    {"mV", "voltage", 1e-3},
    {"ohm", "resistance", 1},
};

/// Reads one file, keeping the first error.
class Reader {
public:
  Reader(const YamlFile &file, fb::ChipT &chip) : file(file), chip(chip) {}

  const Status &status() const { return first; }
  bool ok() const { return first.ok(); }

  void fail(const YamlNode &at, const std::string &message) {
    if (first.ok())
      first = file.error(at, message);
  }

  /// Refuses keys of `map` that are not in `known`.
  bool keys(const YamlNode &map, ArrayRef<StringRef> known,
            const std::string &what) {
    if (map.kind != YamlNode::Kind::Map) {
      fail(map, "expected " + what + " as a map");
      return false;
    }
    std::set<std::string> seen;
    for (const auto &[key, value] : map.entries) {
      if (!is_contained(known, StringRef(key.scalar)))
        fail(key, "unknown key '" + key.scalar + "' in " + what +
                      "; known are " + join(known, ", "));
      if (!seen.insert(key.scalar).second)
        fail(key, "key '" + key.scalar + "' is there twice");
    }
    return ok();
  }

  const YamlNode *need(const YamlNode &map, StringRef key,
                       const std::string &path) {
    const YamlNode *node = map.find(key);
    if (!node)
      fail(map, "missing '" + key.str() + "' of " + path);
    return node;
  }

  std::string text(const YamlNode &map, StringRef key, const std::string &path,
                   StringRef fallback = "") {
    const YamlNode *node = map.find(key);
    if (!node)
      return fallback.str();
    if (node->kind != YamlNode::Kind::Scalar)
      fail(*node, "expected '" + key.str() + "' of " + path + " as text");
    return node->scalar;
  }

  /// A text that is a fact of the chip: {value, source, kind}.
  std::string factText(const YamlNode &map, StringRef key,
                       const std::string &path) {
    const YamlNode *node = map.find(key);
    if (!node)
      return "";
    std::string where = path + "." + key.str();
    if (!keys(*node, {"value", "source", "kind"},
              "'" + where + "' (a fact is {value, source, kind})"))
      return "";
    fb::FactT unused;
    readProvenance(*node, where, unused);
    return need(*node, "value", where) ? text(*node, "value", where) : "";
  }

  bool flag(const YamlNode &map, StringRef key, bool fallback) {
    const YamlNode *node = map.find(key);
    if (!node)
      return fallback;
    if (node->scalar != "true" && node->scalar != "false")
      fail(*node, "expected true or false for '" + key.str() + "'");
    return node->scalar == "true";
  }

  std::vector<std::string> texts(const YamlNode &map, StringRef key) {
    std::vector<std::string> list;
    const YamlNode *node = map.find(key);
    if (!node)
      return list;
    if (node->kind != YamlNode::Kind::List)
      fail(*node, "expected '" + key.str() + "' as a list");
    for (const YamlNode &item : node->items)
      list.push_back(item.scalar);
    return list;
  }

  /// The quantity `key`, in the container's unit of `quantity`.
  double number(const YamlNode &map, StringRef key, StringRef quantity,
                const std::string &path, double low, double high,
                std::optional<double> fallback = std::nullopt) {
    const YamlNode *node = map.find(key);
    if (!node) {
      if (!fallback)
        fail(map, "missing '" + key.str() + "' of " + path);
      return fallback.value_or(0);
    }
    std::string where = path + "." + key.str();
    if (!keys(*node, {"value", "unit", "source", "kind"},
              "'" + where + "' (a number is {value, unit, source, kind})"))
      return 0;
    double value = 0;
    const YamlNode *valueNode = need(*node, "value", where);
    if (!valueNode)
      return 0;
    if (!to_float(StringRef(valueNode->scalar), value) ||
        !std::isfinite(value)) {
      fail(*valueNode, "expected a number for '" + where + "', found '" +
                           valueNode->scalar + "'");
      return 0;
    }
    std::string unit = "1";
    if (const YamlNode *unitNode = node->find("unit")) {
      unit = unitNode->scalar;
    } else if (quantity != "number") {
      fail(*node, "missing 'unit' of '" + where + "', a " + quantity.str());
      return 0;
    }
    const Unit *found = find_if(units, [&](const Unit &known) {
      return known.name == unit && known.quantity == quantity;
    });
    if (found == std::end(units)) {
      std::string fitting;
      for (const Unit &known : units)
        if (known.quantity == quantity)
          fitting += (fitting.empty() ? "" : ", ") + known.name.str();
      fail(*node->find("unit"), "unit '" + unit + "' does not fit '" + where +
                                    "', expected one of " + fitting);
      return 0;
    }
    double scaled = value * found->factor;
    if (scaled < low || scaled > high) {
      fail(*valueNode, "'" + where + "' is " + valueNode->scalar +
                           ", expected at least " + describe(low) +
                           (high < kLargest ? " and at most " + describe(high)
                                            : std::string()));
      return 0;
    }
    addFact(*node, where, value, unit);
    return scaled;
  }

  /// A quantity that counts things.
  uint32_t count(const YamlNode &map, StringRef key, const std::string &path,
                 uint32_t low, uint32_t high, StringRef quantity = "number",
                 std::optional<uint32_t> fallback = std::nullopt) {
    std::optional<double> other;
    if (fallback)
      other = *fallback;
    double value = number(map, key, quantity, path, low, high, other);
    if (value != std::floor(value))
      fail(*map.find(key),
           "expected a whole number for '" + path + "." + key.str() + "'");
    return uint32_t(value);
  }

private:
  static std::string describe(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
      text.pop_back();
    return text;
  }

  void addFact(const YamlNode &node, const std::string &where, double value,
               const std::string &unit) {
    auto fact = std::make_unique<fb::FactT>();
    fact->key = where;
    fact->value = value;
    fact->unit = unit;
    if (readProvenance(node, where, *fact))
      chip.facts.push_back(std::move(fact));
  }

  /// Whether `node` says where it comes from.
  bool readProvenance(const YamlNode &node, const std::string &where,
                      fb::FactT &fact) {
    const YamlNode *source = need(node, "source", where);
    const YamlNode *kind = need(node, "kind", where);
    if (!source || !kind)
      return false;
    fact.source = source->scalar;
    static const std::pair<StringRef, fb::Provenance> kinds[] = {
        {"measured", fb::Provenance::measured},
        {"simulated", fb::Provenance::simulated},
        {"vendor", fb::Provenance::vendor},
        {"derived", fb::Provenance::derived},
        {"estimate", fb::Provenance::estimate}};
    auto found =
        find_if(kinds, [&](auto &k) { return k.first == kind->scalar; });
    if (found == std::end(kinds)) {
      fail(*kind, "unknown kind '" + kind->scalar + "' of '" + where +
                      "', expected measured, simulated, vendor, derived or "
                      "estimate");
      return false;
    }
    fact.kind = found->second;
    return true;
  }

  const YamlFile &file;
  fb::ChipT &chip;
  Status first;
};

void readArrays(Reader &read, const YamlNode &node, const std::string &path,
                fb::ArraysT &arrays) {
  if (!read.keys(node,
                 {"per_unit", "unlimited", "rows", "columns", "tiers",
                  "one_tier_at_a_time", "encoding", "devices_per_polarity",
                  "scale_per_column", "input_bits", "output_bits",
                  "adc_range_per_column", "device", "device_parameters",
                  "post_time_per_output", "post_energy_per_output",
                  "gate_columns"},
                 "'" + path + "'"))
    return;
  arrays.unlimited = read.flag(node, "unlimited", false);
  arrays.per_unit =
      read.count(node, "per_unit", path, 1, 1 << 20, "number",
                 arrays.unlimited ? std::optional<uint32_t>(0) : std::nullopt);
  arrays.rows = read.count(node, "rows", path, 1, 1 << 16);
  arrays.cols = read.count(node, "columns", path, 1, 1 << 16);
  arrays.tiers = read.count(node, "tiers", path, 1, 1 << 16, "number", 1);
  arrays.one_tier_at_a_time = read.flag(node, "one_tier_at_a_time", false);
  arrays.encoding = read.text(node, "encoding", path, "differential");
  if (arrays.encoding != "differential")
    read.fail(*node.find("encoding"), "unknown encoding '" + arrays.encoding +
                                          "', known is differential");
  arrays.devices_per_polarity =
      read.count(node, "devices_per_polarity", path, 1, 64, "number", 1);
  arrays.scale_per_column = read.flag(node, "scale_per_column", true);
  arrays.input_bits = read.count(node, "input_bits", path, 2, 16, "bits");
  arrays.output_bits = read.count(node, "output_bits", path, 2, 16, "bits");
  arrays.adc_range_per_column = read.flag(node, "adc_range_per_column", false);
  arrays.gate_columns = read.factText(node, "gate_columns", path);
  std::string gates = arrays.gate_columns;
  llvm::sort(gates);
  if (!gates.empty() && gates != "cfio")
    read.fail(*node.find("gate_columns"),
              "'" + path + ".gate_columns' is '" + arrays.gate_columns +
                  "', expected the letters i, o, f and c, once each, in the "
                  "order of the columns");
  arrays.device = read.text(node, "device", path, "ideal");
  if (const YamlNode *parameters = node.find("device_parameters"))
    for (const auto &[key, value] : parameters->entries) {
      // Each has its own quantity: conductance, time or plain number.
      StringRef quantity = "number";
      if (const YamlNode *unit = value.find("unit"))
        for (const Unit &known : units)
          if (known.name == unit->scalar)
            quantity = known.quantity;
      auto parameter = std::make_unique<fb::ParameterT>();
      parameter->key = key.scalar;
      parameter->value =
          read.number(*parameters, key.scalar, quantity,
                      path + ".device_parameters", -kLargest, kLargest);
      if (quantity == "time in ns")
        parameter->value *= 1e-9; // device formulas are in seconds
      arrays.device_parameters.push_back(std::move(parameter));
    }
  arrays.post_ns_per_output = read.number(node, "post_time_per_output",
                                          "time in ns", path, 0, kLargest, 0.0);
  arrays.post_energy_pj_per_output =
      1e3 * read.number(node, "post_energy_per_output", "energy in nJ", path, 0,
                        kLargest, 0.0);
}

void readDigital(Reader &read, const YamlNode &node, const std::string &path,
                 fb::DigitalT &digital) {
  if (!read.keys(node,
                 {"operators", "lanes", "clock", "energy_per_operation",
                  "start", "memory_bandwidth", "memory_energy"},
                 "'" + path + "'"))
    return;
  digital.operators = read.texts(node, "operators");
  digital.lanes = read.number(node, "lanes", "number", path, 1, 1e9);
  digital.clock_ghz = read.number(node, "clock", "frequency", path, 1e-6, 1e3);
  digital.energy_pj_per_op =
      1e3 * read.number(node, "energy_per_operation", "energy in nJ", path, 0,
                        kLargest);
  digital.start_ns =
      read.number(node, "start", "time in ns", path, 0, kLargest, 0.0);
  digital.bytes_per_ns = read.number(node, "memory_bandwidth", "bandwidth",
                                     path, 1e-9, kLargest, 1e9);
  digital.energy_pj_per_byte = read.number(
      node, "memory_energy", "energy per byte", path, 0, kLargest, 0.0);
}

void readKind(Reader &read, const YamlNode &node, const std::string &path,
              fb::UnitKindT &kind) {
  if (!read.keys(node,
                 {"count", "unlimited", "arrays", "digital", "area", "mvm_area",
                  "active_power", "energy_per_vector"},
                 "'" + path + "'"))
    return;
  kind.unlimited = read.flag(node, "unlimited", false);
  kind.count =
      read.count(node, "count", path, 1, 1 << 24, "number",
                 kind.unlimited ? std::optional<uint32_t>(0) : std::nullopt);
  kind.area_mm2 = read.number(node, "area", "area", path, 0, kLargest, 0.0);
  kind.mvm_area_mm2 =
      read.number(node, "mvm_area", "area", path, 0, kLargest, 0.0);
  kind.active_power_w =
      read.number(node, "active_power", "power", path, 0, kLargest, 0.0);
  kind.energy_nj_per_vector = read.number(
      node, "energy_per_vector", "energy in nJ", path, 0, kLargest, 0.0);
  if (const YamlNode *arrays = node.find("arrays")) {
    kind.arrays = std::make_unique<fb::ArraysT>();
    readArrays(read, *arrays, path + ".arrays", *kind.arrays);
  }
  if (const YamlNode *digital = node.find("digital")) {
    kind.digital = std::make_unique<fb::DigitalT>();
    readDigital(read, *digital, path + ".digital", *kind.digital);
  }
}

void readLinks(Reader &read, const YamlNode &node, fb::ChipT &chip) {
  for (const auto &[key, value] : node.entries) {
    std::string path = "links." + key.scalar;
    if (!read.keys(value, {"from", "to", "latency", "bandwidth", "energy"},
                   "'" + path + "'"))
      return;
    auto link = std::make_unique<fb::LinkT>();
    link->from = read.text(value, "from", path, "*");
    link->to = read.text(value, "to", path, "*");
    for (const std::string &end : {link->from, link->to})
      if (end != "*" &&
          none_of(chip.kinds, [&](auto &kind) { return kind->name == end; }))
        read.fail(value, "'" + path + "' names unit kind '" + end +
                             "', which is not in 'units'");
    link->latency_ns =
        read.number(value, "latency", "time in ns", path, 0, kLargest, 0.0);
    link->bytes_per_ns =
        read.number(value, "bandwidth", "bandwidth", path, 1e-9, kLargest);
    link->energy_pj_per_byte =
        read.number(value, "energy", "energy per byte", path, 0, kLargest, 0.0);
    chip.links.push_back(std::move(link));
  }
}

void readModes(Reader &read, const YamlNode &root, fb::ChipT &chip) {
  const YamlNode *modes = read.need(root, "read_modes", "the chip");
  if (!modes)
    return;
  for (const auto &[key, value] : modes->entries) {
    std::string path = "read_modes." + key.scalar;
    if (!read.keys(value, {"latency", "energy", "converter_energy"},
                   "'" + path + "'"))
      return;
    auto mode = std::make_unique<fb::ReadModeT>();
    mode->name = key.scalar;
    mode->latency_ns =
        read.number(value, "latency", "time in ns", path, 1e-6, kLargest);
    mode->energy_nj =
        read.number(value, "energy", "energy in nJ", path, 0, kLargest);
    mode->converter_energy_nj = read.number(
        value, "converter_energy", "energy in nJ", path, 0, kLargest, 0.0);
    chip.read_modes.push_back(std::move(mode));
  }
  std::string wanted = read.text(root, "read_mode", "the chip");
  for (auto [i, mode] : enumerate(chip.read_modes))
    if (mode->name == wanted || (wanted.empty() && i == 0)) {
      chip.read_mode = i;
      return;
    }
  read.fail(root, "'read_mode' names none of the read modes");
}

} // namespace

mho::Expected<fb::ChipT> mho::parseChip(StringRef yaml, StringRef name) {
  auto file = YamlFile::parse(yaml, name);
  if (!file.ok())
    return file.status();
  const YamlNode &root = (*file)->root();
  fb::ChipT chip;
  Reader read(**file, chip);
  if (!read.keys(root,
                 {"name", "description", "chips", "io", "units", "links",
                  "read_modes", "read_mode", "effects", "time", "temperature",
                  "compensation", "passive_power", "area", "notes"},
                 "a chip file"))
    return read.status();
  if (read.need(root, "name", "the chip"))
    chip.name = read.text(root, "name", "the chip");
  chip.description = read.text(root, "description", "the chip");
  chip.chips = read.count(root, "chips", "chip", 1, 1 << 20, "number", 1);
  bool anyArrays = false;
  if (const YamlNode *kinds = read.need(root, "units", "the chip")) {
    for (const auto &[key, value] : kinds->entries) {
      auto kind = std::make_unique<fb::UnitKindT>();
      kind->name = key.scalar;
      readKind(read, value, "units." + key.scalar, *kind);
      if (kind->arrays && anyArrays)
        read.fail(key, "only one unit kind may have arrays");
      anyArrays |= bool(kind->arrays);
      chip.kinds.push_back(std::move(kind));
    }
    if (read.ok() && !anyArrays)
      read.fail(*kinds, "no unit kind has 'arrays'");
  }
  if (!read.ok())
    return read.status();
  std::string io = read.text(root, "io", "the chip", chip.kinds[0]->name);
  auto ioKind =
      find_if(chip.kinds, [&](auto &kind) { return kind->name == io; });
  if (ioKind == chip.kinds.end())
    return (*file)->error(root, "'io' names unit kind '" + io +
                                    "', which is not in 'units'");
  chip.io_kind = ioKind - chip.kinds.begin();
  if (!(*ioKind)->digital)
    return (*file)->error(root,
                          "the unit kind that 'io' names needs 'digital'");
  if (const YamlNode *links = root.find("links"))
    readLinks(read, *links, chip);
  readModes(read, root, chip);
  chip.effects = read.texts(root, "effects");
  static const StringRef effects[] = {
      "quantization", "programming", "drift",  "read",        "ir-drop",
      "adc",          "dac",         "faults", "temperature", "output"};
  for (const std::string &effect : chip.effects)
    if (!is_contained(effects, StringRef(effect)))
      read.fail(*root.find("effects"),
                "unknown effect '" + effect + "', known are " +
                    join(ArrayRef<StringRef>(effects), ", "));
  chip.time_s =
      1e-9 * read.number(root, "time", "time in ns", "chip", 0, 1e30, 0.0);
  chip.temperature_c =
      read.number(root, "temperature", "temperature", "chip", -273, 1000, 25.0);
  chip.compensation = read.text(root, "compensation", "the chip", "none");
  static const StringRef compensations[] = {"none", "global", "column",
                                            "reference"};
  if (!is_contained(compensations, StringRef(chip.compensation)))
    read.fail(*root.find("compensation"),
              "unknown compensation '" + chip.compensation + "', known are " +
                  join(ArrayRef<StringRef>(compensations), ", "));
  chip.passive_power_w =
      read.number(root, "passive_power", "power", "chip", 0, kLargest, 0.0);
  chip.area_mm2 = read.number(root, "area", "area", "chip", 0, kLargest, 0.0);
  chip.notes = read.texts(root, "notes");
  if (!read.ok())
    return read.status();
  return chip;
}
