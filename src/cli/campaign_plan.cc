#include "cli/campaign_plan.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <set>

namespace hap::cli {
namespace {

constexpr int64_t max_cells = 100000;

Error wrong(const std::string& message, const std::string& path) {
  return Error(message, ErrorKind::usage)
      .at(path)
      .hint("see examples/published-figure.toml for a complete one");
}

Result<std::vector<std::string>> strings(const toml::table& table, const char* key, const std::string& path) {
  std::vector<std::string> values;
  const auto* node = table.get(key);
  if (node == nullptr) return values;
  const auto* array = node->as_array();
  if (array == nullptr) return wrong(fmt::format("`{}` must be a list of strings", key), path);
  for (const auto& element : *array) {
    const auto text = element.value<std::string>();
    if (!text) return wrong(fmt::format("`{}` must be a list of strings", key), path);
    values.push_back(*text);
  }
  return values;
}

Result<int> count(const toml::table& table, const char* key, int fallback, const std::string& path) {
  const auto* node = table.get(key);
  if (node == nullptr) return fallback;
  const auto value = node->value<int64_t>();
  if (!value || *value < 1 || *value > 1000) {
    return wrong(fmt::format("`{}` must be a number from 1 to 1000", key), path);
  }
  return static_cast<int>(*value);
}

Status only_known_keys(const toml::table& table, const std::set<std::string>& known,
                       const std::string& path) {
  for (const auto& [key, node] : table) {
    if (known.count(std::string(key.str())) == 0) {
      return wrong(fmt::format("unknown key `{}` in line {}", key.str(), node.source().begin.line), path);
    }
  }
  return {};
}

struct Defaults {
  int boots;
  int repeats;
  std::string profile;
  std::vector<std::string> options;
};

Result<Defaults> read_defaults(const toml::table& table, const Defaults& outer, const std::string& path) {
  Defaults result = outer;
  HAP_TRY(boots, count(table, "boots", outer.boots, path));
  HAP_TRY(repeats, count(table, "repeats", outer.repeats, path));
  HAP_TRY(options, strings(table, "options", path));
  result.boots = boots;
  result.repeats = repeats;
  result.profile = table["profile"].value_or(outer.profile);
  if (const auto* until = table.get("until")) {
    const auto word = until->value<std::string>();
    if (word != "steady" && word != "requests") return wrong("`until` must be steady or requests", path);
    result.options.insert(result.options.end(), {"--until", *word});
  }
  result.options.insert(result.options.end(), options.begin(), options.end());
  return result;
}

// One point of the matrix, before boots and repeats multiply it.
struct Point {
  std::string sandbox;
  std::string workload;
  std::string label;
  Defaults defaults;
};

void append_cells(const std::vector<Point>& points, std::vector<CampaignCell>& cells) {
  int most_boots = 0;
  int most_repeats = 0;
  for (const auto& point : points) {
    most_boots = std::max(most_boots, point.defaults.boots);
    most_repeats = std::max(most_repeats, point.defaults.repeats);
  }
  for (int boot = 1; boot <= most_boots; ++boot) {
    for (int repeat = 1; repeat <= most_repeats; ++repeat) {
      for (const auto& point : points) {
        if (boot > point.defaults.boots || repeat > point.defaults.repeats) continue;
        cells.push_back({point.sandbox, point.workload, point.defaults.profile, point.label, boot, repeat,
                         point.defaults.options});
      }
    }
  }
}

}  // namespace

std::string CampaignCell::file_name() const {
  const std::string head = label.empty() ? fmt::format("{}.{}", sandbox, workload) : label;
  return fmt::format("{}.b{}.r{}.hap", head, boot, repeat);
}

Result<CampaignPlan> parse_campaign(const std::string& text, const std::string& path) {
  toml::table table;
  try {
    table = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    return wrong(fmt::format("line {}, column {}: {}", where.line, where.column, error.description()), path);
  }
  HAP_CHECK(only_known_keys(table,
                            {"name", "sandboxes", "workloads", "boots", "repeats", "profile", "until",
                             "parallel", "options", "cell"},
                            path));
  CampaignPlan plan;
  plan.name = table["name"].value_or(std::string("campaign"));
  HAP_TRY(parallel, count(table, "parallel", 1, path));
  plan.parallel = parallel;
  HAP_TRY(sandboxes, strings(table, "sandboxes", path));
  HAP_TRY(workloads, strings(table, "workloads", path));
  HAP_TRY(defaults, read_defaults(table, {1, 1, "published", {}}, path));

  std::vector<Point> points;
  for (const auto& workload : workloads) {
    for (const auto& sandbox : sandboxes) points.push_back({sandbox, workload, "", defaults});
  }
  if (const auto* list = table["cell"].as_array()) {
    for (const auto& element : *list) {
      const auto* cell = element.as_table();
      if (cell == nullptr) return wrong("`cell` must be a list of tables ([[cell]])", path);
      HAP_CHECK(only_known_keys(
          *cell, {"sandbox", "workload", "label", "boots", "repeats", "profile", "until", "options"}, path));
      HAP_TRY(own, read_defaults(*cell, defaults, path));
      Point point{(*cell)["sandbox"].value_or(std::string()), (*cell)["workload"].value_or(std::string()),
                  (*cell)["label"].value_or(std::string()), own};
      if (point.sandbox.empty() || point.workload.empty()) {
        return wrong(
            fmt::format("the cell in line {} needs `sandbox` and `workload`", cell->source().begin.line),
            path);
      }
      if (point.label.find_first_of("/\\") != std::string::npos)
        return wrong("a label is part of a file name", path);
      points.push_back(std::move(point));
    }
  }
  int64_t total = 0;
  for (const auto& point : points) total += int64_t{point.defaults.boots} * point.defaults.repeats;
  if (total == 0) return wrong("nothing to measure: give `sandboxes` and `workloads`, or cells", path);
  if (total > max_cells) return wrong(fmt::format("{} cells are too many", total), path);
  append_cells(points, plan.cells);
  std::set<std::string> names;
  for (const auto& cell : plan.cells) {
    if (!names.insert(cell.file_name()).second) {
      return wrong(fmt::format("two cells would write {}: give them different labels", cell.file_name()),
                   path);
    }
  }
  return plan;
}

}  // namespace hap::cli
