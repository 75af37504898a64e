//===- Html.cpp - a report as one page ------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The page shows what the JSON holds and nothing else. It needs no script, font
// or image from elsewhere.
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Report.h"

#include "mho/Support/Format.h"

#include <algorithm>
#include <array>
#include <cstdio>

using namespace mho;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char *kStyle = R"(
:root { --ink: #1c2330; --soft: #5d6879; --line: #d9dee6; --page: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --soft: #98a3b3; --line: #38424f; --page: #14181f; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink);
       background: var(--page); max-width: 70rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.soft { color: var(--soft); }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.2rem 0; }
.figures b { display: block; font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: normal; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { overflow-x: auto; }
.bar { display: flex; height: .9rem; background: var(--line); min-width: 8rem; }
.bar i { display: block; }
.key i { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem; }
summary { cursor: pointer; margin-top: 2rem; font-size: 1.1rem; font-weight: bold; }
)";

/// Parts of energy and their colours, in the order of the bars.
constexpr std::array<std::pair<const char *, const char *>, 6> kParts = {
    {{"mvm", "#2f6fb3"},
     {"converters", "#7a4fb5"},
     {"digital", "#d08422"},
     {"communication", "#3a9a6c"},
     {"memory", "#b5485d"},
     {"passive", "#8a94a3"}}};

std::string escaped(const std::string &text) {
  std::string safe;
  for (char c : text)
    switch (c) {
    case '&':
      safe += "&amp;";
      break;
    case '<':
      safe += "&lt;";
      break;
    case '>':
      safe += "&gt;";
      break;
    case '"':
      safe += "&quot;";
      break;
    default:
      safe += c;
    }
  return safe;
}

std::string number(double value, const char *format = "%.4g") {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// A value as a cell shows it.
std::string shown(const Json &value) {
  if (value.is_string())
    return escaped(value.get<std::string>());
  if (value.is_number_integer())
    return value.dump();
  return value.is_number() ? number(value.get<double>())
                           : escaped(value.dump());
}

template <typename Key> double at(const Json &object, Key key) {
  return object.at(key).template get<double>();
}

class Page {
public:
  explicit Page(const Json &report) : report(report) {}
  std::string render();

private:
  void heading(const char *title) {
    html += std::string("<h2>") + title + "</h2>\n";
  }
  /// "numeric" columns are those whose name begins with '#'.
  void beginTable(std::initializer_list<const char *> columns);
  void cell(const std::string &content, bool isNumber = false) {
    html += (isNumber ? "<td class=\"n\">" : "<td>") + content + "</td>";
  }
  void endTable() { html += "</table></div>\n"; }
  void figure(const char *name, const std::string &value, const char *key = "");
  void figures();
  void metrics();
  void energy();
  void layers();
  void mapping();
  void resources();
  void remarks();
  void settings();
  void provenance();
  /// One bar of energy parts, as a share of `whole`.
  std::string energyBar(const Json &energy, double whole) const;

  const Json &report;
  std::string html;
};

void Page::beginTable(std::initializer_list<const char *> columns) {
  html += "<div class=\"wide\"><table><tr>";
  for (const char *column : columns)
    html += *column == '#'
                ? "<th class=\"n\">" + std::string(column + 1) + "</th>"
                : "<th>" + std::string(column) + "</th>";
  html += "</tr>\n";
}

void Page::figure(const char *name, const std::string &value, const char *key) {
  bool estimate =
      std::any_of(report["estimates"].begin(), report["estimates"].end(),
                  [&](const Json &other) { return other == key; });
  html += "<div><span class=\"soft\">" + std::string(name) + "</span><b>" +
          value + "</b>" +
          (estimate ? "<span class=\"soft\">rests on estimates</span>" : "") +
          "</div>\n";
}

void Page::figures() {
  const Json &arrays = report["arrays"];
  html += "<div class=\"figures\">\n";
  figure("latency", formatTime(at(report, "latency_s")), "latency_s");
  figure("energy", formatEnergy(at(report["energy_j"], "total")), "energy_j");
  figure("throughput", formatQuantity(at(report, "throughput_per_s"), "runs/s"),
         "throughput_per_s");
  std::string used = shown(arrays["used"]);
  if (!arrays["available"].is_null())
    used += " of " + shown(arrays["available"]);
  figure("arrays", used);
  figure("cells of them in use", formatPercent(at(arrays, "utilization")));
  figure("efficiency", number(at(report, "tops_per_w"), "%.3g") + " TOPS/W",
         "tops_per_w");
  html += "</div>\n";
  if (report.contains("bottleneck"))
    html +=
        "<p>Throughput is bound by " + shown(report["bottleneck"]) + ".</p>\n";
}

void Page::metrics() {
  if (report["metrics"].empty())
    return;
  heading("Metrics");
  beginTable({"metric", "#mean", "#standard deviation", "#95 % interval",
              "#instances"});
  for (const auto &[name, metric] : report["metrics"].items()) {
    html += "<tr>";
    cell(escaped(name));
    cell(shown(metric["value"]), true);
    for (const char *key : {"std", "ci95"})
      cell(metric.contains(key) && metric[key].is_number()
               ? "&plusmn; " + shown(metric[key])
               : "",
           true);
    cell(shown(metric["instances"]), true);
    html += "</tr>\n";
  }
  endTable();
}

std::string Page::energyBar(const Json &energy, double whole) const {
  std::string bar = "<div class=\"bar\">";
  for (auto [name, color] : kParts)
    if (double joules = at(energy, name); joules > 0 && whole > 0)
      bar += "<i style=\"width:" + number(100 * joules / whole, "%.2f") +
             "%;background:" + color + "\" title=\"" + name + " " +
             formatEnergy(joules) + "\"></i>";
  return bar + "</div>";
}

void Page::energy() {
  const Json &energy = report["energy_j"];
  heading("Energy by component");
  html += energyBar(energy, at(energy, "total")) + "\n<p class=\"key\">";
  for (auto [name, color] : kParts)
    html += std::string("<i style=\"background:") + color + "\"></i>" + name +
            " " + formatEnergy(at(energy, name));
  html += "</p>\n";
}

void Page::layers() {
  const Json &layers = report["layers"];
  double latest = at(report, "latency_s"), most = 0;
  for (const Json &layer : layers)
    most = std::max(most, at(layer["energy_j"], "total"));
  heading("Layers");
  beginTable({"node", "operator", "where", "#arrays", "#vectors", "#time",
              "when", "#energy", "energy"});
  for (const Json &layer : layers) {
    double joules = at(layer["energy_j"], "total");
    html += "<tr>";
    cell(shown(layer["node"]));
    cell(shown(layer["op"]));
    cell(shown(layer["unit_kind"]));
    cell(layer["arrays"] == 0 ? "" : shown(layer["arrays"]), true);
    cell(layer["vectors"] == 0 ? "" : shown(layer["vectors"]), true);
    cell(formatTime(at(layer, "latency_s")), true);
    double start = at(layer, "start_s"), end = at(layer, "end_s");
    double scale = latest > 0 ? 100 / latest : 0;
    cell("<div class=\"bar\" title=\"" + formatTime(start) + " to " +
         formatTime(end) +
         "\"><i style=\"margin-left:" + number(start * scale, "%.2f") +
         "%;width:" + number(std::max((end - start) * scale, 0.3), "%.2f") +
         "%;background:" + kParts[0].second + "\"></i></div>");
    cell(formatEnergy(joules), true);
    cell(energyBar(layer["energy_j"], most));
    html += "</tr>\n";
  }
  endTable();
  if (report["folded"].empty())
    return;
  html += "<details><summary>Nodes without an instruction of their own"
          "</summary>\n";
  beginTable({"node", "where"});
  for (const Json &folded : report["folded"]) {
    html += "<tr>";
    if (folded.is_object())
      for (const auto &[key, value] : folded.items())
        cell(shown(value));
    else
      cell(shown(folded));
    html += "</tr>\n";
  }
  endTable();
  html += "</details>\n";
}

void Page::mapping() {
  const Json &mapping = report["mapping"];
  if (mapping.empty())
    return;
  html += "<details><summary>Layers on arrays</summary>\n";
  beginTable({"array", "node", "#rows of its matrix", "#columns",
              "#cells in use", ""});
  for (const Json &array : mapping) {
    auto range = [&](const char *key) {
      return std::pair{at(array[key], 0), at(array[key], 1)};
    };
    auto [rowBegin, rowEnd] = range("rows");
    auto [columnBegin, columnEnd] = range("columns");
    std::string place =
        shown(array["unit"]) + " array " + shown(array["array"]);
    if (array["tier"] != 0)
      place += " tier " + shown(array["tier"]);
    html += "<tr>";
    cell(place);
    cell(shown(array[array.contains("node") ? "node" : "bank"]));
    cell(number(rowBegin, "%.0f") + "&ndash;" + number(rowEnd - 1, "%.0f"),
         true);
    cell(number(columnBegin, "%.0f") + "&ndash;" +
             number(columnEnd - 1, "%.0f"),
         true);
    if (array.contains("size")) {
      double cells = at(array["size"], 0) * at(array["size"], 1);
      double share = (rowEnd - rowBegin) * (columnEnd - columnBegin) /
                     std::max(cells, 1.0);
      cell(formatPercent(share), true);
      cell(
          "<div class=\"bar\"><i style=\"width:" + number(share * 100, "%.2f") +
          "%;background:" + kParts[0].second + "\"></i></div>");
    }
    html += "</tr>\n";
  }
  endTable();
  html += "</details>\n";
}

void Page::resources() {
  heading("How busy the chip is");
  beginTable({"resource", "#busy", "#share of the run", ""});
  for (const Json &resource : report["resources"]) {
    double share = at(resource, "utilization");
    html += "<tr>";
    cell(shown(resource["name"]));
    cell(formatTime(at(resource, "busy_s")), true);
    cell(formatPercent(share), true);
    cell("<div class=\"bar\"><i style=\"width:" +
         number(std::min(share, 1.0) * 100, "%.2f") +
         "%;background:" + kParts[3].second + "\"></i></div>");
    html += "</tr>\n";
  }
  endTable();
}

void Page::remarks() {
  if (report["notes"].empty() && report["estimates"].empty())
    return;
  heading("To keep in mind");
  html += "<ul>\n";
  for (const Json &note : report["notes"])
    html += "<li>" + shown(note) + "</li>\n";
  if (!report["estimates"].empty()) {
    html += "<li>These figures rest on estimates:";
    for (const Json &name : report["estimates"])
      html += " <code>" + shown(name) + "</code>";
    html += "</li>\n";
  }
  html += "</ul>\n";
}

void Page::settings() {
  heading("Settings");
  beginTable({"setting", "value"});
  for (const auto &[name, value] : report["settings"].items()) {
    html += "<tr>";
    cell(escaped(name));
    cell(shown(value));
    html += "</tr>\n";
  }
  endTable();
}

void Page::provenance() {
  html += "<details><summary>Where the chip's numbers come from</summary>\n";
  beginTable({"number", "#value", "unit", "kind", "source"});
  for (const Json &entry : report["provenance"]) {
    html += "<tr>";
    for (const char *key : {"key", "value", "unit", "kind", "source"})
      cell(shown(entry[key]), key == std::string("value"));
    html += "</tr>\n";
  }
  endTable();
  html += "</details>\n";
}

std::string Page::render() {
  std::string title = shown(report["model"]) + " on " + shown(report["target"]);
  html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
         "\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
         title + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n" +
         "<h1>" + title + "</h1>\n<p class=\"soft\">" +
         shown(report["producer"]) + "</p>\n";
  figures();
  metrics();
  energy();
  layers();
  mapping();
  resources();
  remarks();
  settings();
  provenance();
  return html + "</body>\n</html>\n";
}

} // namespace

std::string rt::renderHtml(const Json &report) { return Page(report).render(); }

std::string rt::reportFile(const Json &report, const std::string &path) {
  return path.ends_with(".html") || path.ends_with(".htm")
             ? renderHtml(report)
             : report.dump(2) + "\n";
}
