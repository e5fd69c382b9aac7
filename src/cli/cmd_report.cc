// hap report: the figures of recordings.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/paths.h"
#include "cli/analysis.h"
#include "cli/commands.h"
#include "cli/exercised_code.h"
#include "cli/terminal.h"
#include "report/formats.h"
#include "report/html.h"
#include "report/permitted.h"

namespace hap::cli {
namespace {

struct Options {
  std::vector<std::string> recordings;
  std::string format = "text";
  std::string source_root;
  AnalysisOptions analysis;
};

Result<int> report(const Options& options) {
  HAP_TRY(paths, store::find_recordings(options.recordings));
  std::vector<Report> reports;
  std::string lcov;
  // Without a ledger known_cves is unknown; a damaged one is said and costs no other figure.
  std::vector<ledger::Record> records;
  if (auto loaded = ledger::load_records()) {
    records = std::move(*loaded);
  } else {
    print_error(loaded.error().context("known_cves is left out"));
  }
  for (const auto& path : paths) {
    HAP_TRY(cell, open_trusted_cell(path, options.analysis));
    if (options.format == "lcov") {
      lcov += report::render_lcov(cell.profile, cell.resolver,
                                  cell.profile.meta("workload") + "_in_" + cell.profile.meta("sandbox"),
                                  options.source_root);
    } else {
      ReportOptions what;
      what.permitted = report::permitted_by_filters(cell.profile, cell.resolver);
      what.known_cves = known_cves_of(path, cell, records);
      reports.push_back(make_report(cell.profile, path, what));
    }
  }
  std::string out;
  if (options.format == "text") out = report::render_text(reports);
  if (options.format == "json") out = report::render_json(reports);
  if (options.format == "csv") out = report::render_csv(reports);
  if (options.format == "lcov") out = lcov;
  if (options.format == "html") {
    nlohmann::json all = nlohmann::json::array();
    for (const auto& each : reports) all.push_back(nlohmann::json(report::to_json(each)));
    HAP_TRY(page, report::render_html(all.size() == 1 ? all[0] : all));
    out = std::move(page);
  }
  HAP_CHECK(print(out));
  return exit_done;
}

}  // namespace

void add_report(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("report", "Shows the figures of recordings");
  command->add_option("recordings", options->recordings, "Recordings, or folders with recordings")
      ->required()
      ->type_name("F.hap");
  command->add_option("--format", options->format, "text, json, html, lcov or csv")
      ->check(CLI::IsMember({"text", "json", "html", "lcov", "csv"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command
      ->add_option("--source-root", options->source_root, "Put before relative source paths in lcov output")
      ->type_name("DIR");
  add_analysis_options(*command, options->analysis);
  command->footer(
      "Examples:\n"
      "  hap report redis.hap\n"
      "  hap report --format json redis.hap > redis.json\n"
      "  hap report --format html out/ > report.html\n"
      "  hap report --format lcov --source-root ~/linux redis.hap > redis.info && genhtml redis.info -o cov");
  command->callback([options, &session] { session.run = [options] { return report(*options); }; });
}

}  // namespace hap::cli
