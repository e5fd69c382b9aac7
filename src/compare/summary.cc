#include <nlohmann/json.hpp>

#include "base/file.h"
#include "compare/report_reader.h"
#include "hap/compare.h"

namespace hap {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestReport = std::size_t{256} << 20;

std::string text_of(const json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

std::optional<double> number_of(const json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_number()) return std::nullopt;
  return member->get<double>();
}

// {value, low, high}; ends that are unknown fall together with the value.
std::optional<Interval> figure_of(const json& figure) {
  if (!figure.is_object()) return std::nullopt;
  const auto value = number_of(figure, "value");
  if (!value) return std::nullopt;
  const double low = number_of(figure, "low").value_or(*value);
  const double high = number_of(figure, "high").value_or(*value);
  return Interval{*value, std::min(low, *value), std::max(high, *value)};
}

void read_figures(const json& report, ReportSummary& summary) {
  for (const Scope scope : kScopes) {
    const auto figures = report.find(to_string(scope));
    if (figures == report.end() || !figures->is_object()) continue;
    auto& into = summary.figures[static_cast<int>(scope)];
    for (const auto& [metric, figure] : figures->items()) {
      // expected_bugs is computed here, for every model alike; other members are no figures.
      if (metric == "expected_bugs" || !(figure.is_null() || figure.contains("value"))) continue;
      into[metric] = figure_of(figure);
    }
  }
}

std::string boot_of(const json& report) {
  const auto boot = report.find("boot");
  if (boot == report.end()) return {};
  if (boot->is_string()) return boot->get<std::string>();
  return boot->is_number_integer() ? std::to_string(boot->get<std::int64_t>()) : std::string();
}

}  // namespace

std::string to_string(Scope scope) {
  return scope == Scope::hap ? "hap" : "hap_with_softirq";
}

Result<ReportSummary> parse_report_summary(const std::string& text, const std::string& path) {
  auto [report, functions] = compare::read_report(text);
  if (!report.is_object() || text_of(report, "schema") != "hapmeter.report/1") {
    return Error("not a hapmeter report", ErrorKind::corrupt)
        .at(path)
        .hint("make one with `hap report --format json FILE.hap`");
  }
  ReportSummary summary;
  summary.path = path;
  summary.sandbox = text_of(report, "sandbox");
  summary.workload = text_of(report, "workload");
  summary.label = text_of(report, "label");
  summary.collector = text_of(report, "collector");
  summary.boot = boot_of(report);
  if (summary.sandbox.empty() || summary.workload.empty()) {
    return Error("the report names no sandbox or no workload", ErrorKind::corrupt).at(path);
  }
  if (const auto kernel = report.find("kernel"); kernel != report.end() && kernel->is_object()) {
    summary.kernel = text_of(*kernel, "release");
    summary.kernel_build_id = text_of(*kernel, "build_id");
  }
  if (const auto member = report.find("completeness"); member != report.end() && member->is_object()) {
    summary.coverage = number_of(*member, "coverage");
    if (const auto steady = member->find("steady_state"); steady != member->end() && steady->is_boolean()) {
      summary.steady_state = steady->get<bool>();
    }
  }
  if (const auto loss = report.find("loss"); loss != report.end() && loss->is_object()) {
    summary.events_lost =
        static_cast<std::uint64_t>(std::max(0.0, number_of(*loss, "events_lost").value_or(0)));
  }
  read_figures(report, summary);
  summary.functions = std::move(functions);
  return summary;
}

Result<ReportSummary> load_report_summary(const std::string& path) {
  HAP_TRY(text, read_file(path, kLargestReport));
  return parse_report_summary(text, path);
}

}  // namespace hap
