// hap diff: what changed between two recordings; with --fail-over a gate for continuous integration.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/analysis.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/user_ledger.h"
#include "report/difference.h"
#include "report/formats.h"
#include "report/html.h"
#include "report/permitted.h"

namespace hap::cli {
namespace {

struct Options {
  std::string before, after;
  std::string format = "text";
  std::string phase = "serve";
  bool with_softirq = false;
  std::vector<std::string> fail_over;
  AnalysisOptions analysis;
};

Result<std::string> render(const Options& options, const report::Difference& difference,
                           const store::Cell& before, const store::Cell& after, const UserLedger& ledger) {
  if (options.format == "json") {
    return report::to_json(difference).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  if (options.format == "markdown") return report::render_markdown(difference);
  if (options.format == "html") {
    nlohmann::json document;
    document["reports"] = nlohmann::json::array();
    const std::pair<const std::string*, const store::Cell*> sides[] = {{&options.before, &before},
                                                                       {&options.after, &after}};
    for (const auto& [path, cell] : sides) {
      ReportOptions what;
      what.permitted = report::permitted_surface(cell->profile, cell->resolver);
      HAP_CHECK(ledger.add_to(what, *path, *cell));
      document["reports"].push_back(nlohmann::json(report::to_json(make_report(cell->profile, *path, what))));
    }
    document["difference"] = nlohmann::json(report::to_json(difference));
    return report::render_html(document);
  }
  return report::render_text(difference);
}

Result<int> diff(const Options& options) {
  std::vector<report::Threshold> thresholds;
  for (const auto& text : options.fail_over) {
    HAP_TRY(threshold, report::parse_threshold(text));
    thresholds.push_back(std::move(threshold));
  }
  HAP_TRY(before, open_trusted_cell(options.before, options.analysis));
  HAP_TRY(after, open_trusted_cell(options.after, options.analysis));
  const report::DifferenceOptions what{options.with_softirq, *phase_from(options.phase)};
  const auto ledger = UserLedger::open_or_say();
  const ExercisedOptions code{what.phase, {.with_softirq = what.with_softirq}};
  const report::Compared was{before.profile, before.resolver, options.before,
                             ledger.known_cves(options.before, before, code)};
  const report::Compared is{after.profile, after.resolver, options.after,
                            ledger.known_cves(options.after, after, code)};
  const auto difference = report::make_difference(was, is, what);
  HAP_TRY(out, render(options, difference, before, after, ledger));
  HAP_CHECK(print(out));
  int status = exit_done;
  for (const auto& threshold : thresholds) {
    const auto over = report::exceeded(threshold, difference);
    if (over && !*over) continue;
    std::fputs(fmt::format("hap: {}: {}\n", threshold.text,
                           over ? "exceeded" : "cannot be told, a figure is unknown")
                   .c_str(),
               stderr);
    status = exit_threshold;
  }
  return status;
}

}  // namespace

void add_diff(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("diff", "Shows what changed between two recordings");
  command->add_option("before", options->before, "Recording")->required()->type_name("A.hap");
  command->add_option("after", options->after, "Recording")->required()->type_name("B.hap");
  command->add_option("--format", options->format, "text, json, markdown or html")
      ->check(CLI::IsMember({"text", "json", "markdown", "html"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command->add_option("--phase", options->phase, "setup, serve or teardown")
      ->check(CLI::IsMember({"setup", "serve", "teardown"}))
      ->capture_default_str()
      ->type_name("PHASE");
  command->add_flag("--with-softirq", options->with_softirq, "Compare hap_with_softirq instead of hap");
  command
      ->add_option("--fail-over", options->fail_over,
                   "Exit with status 3 when a metric grew by more than this; may be given several times")
      ->type_name("'METRIC>CHANGE'");
  add_analysis_options(*command, options->analysis);
  command->footer(
      "Examples:\n"
      "  hap diff docker.hap gvisor.hap\n"
      "  hap diff --phase setup runc.hap crun.hap\n"
      "  hap diff --format markdown --fail-over 'functions>+5%' main.hap branch.hap");
  command->callback([options, &session] { session.run = [options] { return diff(*options); }; });
}

}  // namespace hap::cli
