// hap doctor: what works on this machine, what does not, why, and what to do about it.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/health.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

namespace hap::cli {
namespace {

struct Options {
  std::string format = "text";
  bool quick = false;
};

std::string painted(Health health, bool color) {
  const std::string text(to_string(health));
  if (!color) return text;
  const char* code = health == Health::works     ? "\033[32m"
                     : health == Health::limited ? "\033[33m"
                                                 : "\033[31m";
  return code + text + "\033[0m";
}

std::string as_text(const std::vector<Finding>& findings, bool color) {
  std::vector<TextRow> rows;
  std::string area;
  for (const auto& finding : findings) {
    std::string explanation = finding.why;
    if (!finding.remedy.empty()) explanation += ". To do: " + finding.remedy;
    rows.push_back({finding.area == area ? "" : finding.area, finding.name, painted(finding.health, color),
                    explanation});
    area = finding.area;
  }
  return text_table(rows);
}

nlohmann::json as_json(const std::vector<Finding>& findings) {
  auto rows = nlohmann::json::array();
  for (const auto& finding : findings) {
    rows.push_back({{"area", finding.area},
                    {"name", finding.name},
                    {"health", to_string(finding.health)},
                    {"why", finding.why},
                    {"remedy", finding.remedy}});
  }
  return {{"schema", "hapmeter.doctor/1"}, {"findings", std::move(rows)}};
}

Result<int> diagnose(const Options& options, const Session& session) {
  const auto findings = examine(options.quick, session.cancel);
  HAP_CHECK(session.cancel.check());
  HAP_CHECK(
      print(options.format == "json" ? as_json(findings).dump(2) + "\n" : as_text(findings, session.color)));
  return exit_done;
}

}  // namespace

void add_doctor(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("doctor", "What works on this machine, what does not, why, and what to do");
  command->add_flag("--quick", options->quick, "Leave out trials that take seconds (accelerators)");
  command->add_option("--format", options->format, "Output format")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  hap doctor\n"
      "  hap doctor --quick --format json\n\n"
      "Accelerators are found out by trying, with a time limit: a device node says nothing.");
  command->callback(
      [options, &session] { session.run = [options, &session] { return diagnose(*options, session); }; });
}

}  // namespace hap::cli
