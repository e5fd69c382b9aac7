// The formats of a difference.
#include <fmt/format.h>

#include <cmath>

#include "report/difference.h"

namespace hap::report {
namespace {

using json = nlohmann::ordered_json;
constexpr size_t listed = 40;

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json number_of(const std::optional<double>& value) {
  if (!value) return nullptr;
  if (*value == std::floor(*value)) return static_cast<int64_t>(*value);
  return std::round(*value * 1000) / 1000;
}

json side_of(const Side& side) {
  return {{"recording", side.path},
          {"sandbox", side.sandbox},
          {"workload", side.workload},
          {"kernel", side.kernel},
          {"windows", side.windows}};
}

json functions_of(const std::vector<FunctionChange>& functions) {
  json array = json::array();
  for (const auto& each : functions) {
    array.push_back({{"name", each.name},
                     {"file", each.file.empty() ? json(nullptr) : json(each.file)},
                     {"lines", or_null(each.lines)},
                     {"executed_lines_before", each.lines_before},
                     {"executed_lines_after", each.lines_after},
                     {"windows_before", each.windows_before},
                     {"windows_after", each.windows_after}});
  }
  return array;
}

std::string value_of(const std::optional<double>& value) {
  if (!value) return "-";
  return *value == std::floor(*value) ? fmt::format("{:.0f}", *value) : fmt::format("{:.2f}", *value);
}

std::string change_of(const MetricChange& change) {
  if (!change.before || !change.after) return "-";
  const double difference = *change.after - *change.before;
  return *change.after == std::floor(*change.after) && *change.before == std::floor(*change.before)
             ? fmt::format("{:+.0f}", difference)
             : fmt::format("{:+.2f}", difference);
}

std::string percent_of(const MetricChange& change) {
  const auto relative = change.relative();
  return relative ? fmt::format("{:+.1f} %", 100 * *relative) : "-";
}

std::string name_of(const Side& side) {
  return fmt::format("{} in {} ({})", side.workload.empty() ? "unknown" : side.workload,
                     side.sandbox.empty() ? "unknown" : side.sandbox, side.path);
}

std::string cut(const std::string& text, size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

std::string listing(const std::string& title, const std::vector<FunctionChange>& functions) {
  if (functions.empty()) return "";
  std::string out = fmt::format("\n{}: {}\n", title, functions.size());
  for (size_t i = 0; i < std::min(functions.size(), listed); ++i) {
    const auto& each = functions[i];
    out += fmt::format("  {:<40} {:<36} {:>5} -> {}\n", cut(each.name, 40),
                       cut(each.file.empty() ? "-" : each.file, 36), each.lines_before, each.lines_after);
  }
  if (functions.size() > listed) {
    out += fmt::format("  and {} more; `--format json` has all\n", functions.size() - listed);
  }
  return out;
}

}  // namespace

json to_json(const Difference& difference) {
  json object;
  object["schema"] = "hapmeter.diff/1";
  object["figure"] = difference.options.with_softirq ? "hap_with_softirq" : "hap";
  object["phase"] = to_string(difference.options.phase);
  object["before"] = side_of(difference.before);
  object["after"] = side_of(difference.after);
  json metrics = json::array();
  for (const auto& change : difference.metrics) {
    metrics.push_back(
        {{"metric", change.metric},
         {"before", number_of(change.before)},
         {"after", number_of(change.after)},
         {"change", change.before && change.after ? number_of(*change.after - *change.before) : nullptr},
         {"percent", change.relative() ? number_of(100 * *change.relative()) : nullptr}});
  }
  object["metrics"] = std::move(metrics);
  json folders = json::array();
  for (const auto& folder : difference.folders) {
    folders.push_back({{"name", folder.name},
                       {"functions_before", folder.functions_before},
                       {"functions_after", folder.functions_after},
                       {"executed_lines_before", folder.lines_before},
                       {"executed_lines_after", folder.lines_after}});
  }
  object["subsystems"] = std::move(folders);
  object["functions_in_both"] = difference.in_both;
  object["only_before"] = functions_of(difference.only_before);
  object["only_after"] = functions_of(difference.only_after);
  object["changed"] = functions_of(difference.changed);
  return object;
}

std::string render_text(const Difference& difference) {
  std::string out = fmt::format("before: {}\nafter:  {}\n{}, phase {}\n\n",
                                cut(name_of(difference.before), 90), cut(name_of(difference.after), 90),
                                difference.options.with_softirq ? "HAP with softirqs" : "HAP",
                                to_string(difference.options.phase));
  out += fmt::format("{:<16}{:>14}{:>14}{:>14}{:>12}\n", "", "before", "after", "change", "percent");
  for (const auto& change : difference.metrics) {
    out += fmt::format("{:<16}{:>14}{:>14}{:>14}{:>12}\n", change.metric, value_of(change.before),
                       value_of(change.after), change_of(change), percent_of(change));
  }
  if (!difference.folders.empty()) {
    out += fmt::format("\n{:<32}{:>24}{:>28}\n", "source folder", "functions", "executed lines");
    for (size_t i = 0; i < std::min(difference.folders.size(), listed); ++i) {
      const auto& folder = difference.folders[i];
      out += fmt::format("{:<32}{:>24}{:>28}\n", cut(folder.name, 32),
                         fmt::format("{} -> {}", folder.functions_before, folder.functions_after),
                         fmt::format("{} -> {}", folder.lines_before, folder.lines_after));
    }
  }
  out += fmt::format("\nfunctions in both: {}\n", difference.in_both);
  out += listing("only before (executed lines)", difference.only_before);
  out += listing("only after", difference.only_after);
  out += listing("in both, other lines executed", difference.changed);
  return out;
}

std::string render_markdown(const Difference& difference) {
  std::string out =
      fmt::format("### Attack profile: {} → {}\n\n", name_of(difference.before), name_of(difference.after));
  out += "| metric | before | after | change | percent |\n|---|--:|--:|--:|--:|\n";
  for (const auto& change : difference.metrics) {
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", change.metric, value_of(change.before),
                       value_of(change.after), change_of(change), percent_of(change));
  }
  const auto details = [&](const std::string& title, const std::vector<FunctionChange>& functions) {
    if (functions.empty()) return;
    out += fmt::format("\n<details><summary>{}: {}</summary>\n\n", title, functions.size());
    for (size_t i = 0; i < std::min(functions.size(), 5 * listed); ++i) {
      out += fmt::format("- `{}`{}{}\n", functions[i].name, functions[i].file.empty() ? "" : " ",
                         functions[i].file);
    }
    out += "\n</details>\n";
  };
  details("Functions no longer reached", difference.only_before);
  details("Functions newly reached", difference.only_after);
  return out;
}

}  // namespace hap::report
