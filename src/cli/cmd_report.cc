// hap report: the figures of recordings.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/analysis.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/user_ledger.h"
#include "report/formats.h"
#include "report/html.h"
#include "report/idle_baseline.h"
#include "report/permitted.h"

namespace hap::cli {
namespace {

struct Options {
  std::vector<std::string> recordings;
  std::string format = "text";
  std::string source_root;
  std::string layer = "hap";
  std::string baseline;
  AnalysisOptions analysis;
};

// Takes recordings one by one, and gives the document of the wanted format.
class Document {
 public:
  explicit Document(const Options& options) : options_(options) {
    if (options.format != "lcov") ledger_ = UserLedger::open_or_say();
  }

  Status add(const std::string& path, const store::Cell& cell) {
    if (options_.format == "lcov") {
      const auto name =
          cell.profile.meta("workload") + "_in_" + cell.profile.meta("sandbox") + "_" + options_.layer;
      lcov_ += report::render_lcov(cell.profile, cell.resolver, name, options_.source_root,
                                   layer_from(options_.layer));
      return {};
    }
    ReportOptions what;
    if (!options_.baseline.empty()) {
      HAP_TRY(baseline, beside_idle_machine(cell.profile));
      what.baseline = std::move(baseline);
    }
    what.permitted = report::permitted_surface(cell.profile, cell.resolver);
    HAP_CHECK(ledger_.add_to(what, path, cell));
    Report made = make_report(cell.profile, path, what);
    // A page takes a report in packed form: a campaign's need not be in memory at once.
    if (options_.format == "html") return page_.add_report(nlohmann::json(report::to_json(made)));
    reports_.push_back(std::move(made));
    return {};
  }

  Result<std::string> text() const {
    if (options_.format == "html") return page_.render();
    if (options_.format == "lcov") return lcov_;
    if (options_.format == "json") return report::render_json(reports_);
    if (options_.format == "csv") return report::render_csv(reports_);
    return report::render_text(reports_);
  }

 private:
  Result<BaselineReport> beside_idle_machine(const Profile& profile) {
    if (!idle_) {
      HAP_TRY(cell, open_trusted_cell(options_.baseline, options_.analysis));
      idle_.emplace(std::move(cell));
    }
    return report::compare_with_idle(profile, idle_->profile, options_.baseline);
  }

  const Options& options_;
  std::optional<store::Cell> idle_;  // the baseline, opened when it is first needed
  UserLedger ledger_;
  std::vector<Report> reports_;
  report::HtmlPage page_;
  std::string lcov_;
};

Result<int> report(const Options& options, const Session& session) {
  HAP_TRY(paths, store::find_recordings(options.recordings));
  Document document(options);
  const auto progress = session.progress();
  const bool many = paths.size() > 4;
  if (many) progress->step(fmt::format("analysing {} recordings", paths.size()));
  for (size_t i = 0; i < paths.size(); ++i) {
    HAP_TRY(cell, open_trusted_cell(paths[i], options.analysis));
    HAP_CHECK(document.add(paths[i], cell));
    if (many) progress->advance(i + 1, paths.size());
    HAP_CHECK(session.cancel.check());
  }
  if (many) progress->done();
  HAP_TRY(out, document.text());
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
  command
      ->add_option("--baseline", options->baseline,
                   "Recording of the idle machine (`hap measure --workload idle`) to show beside")
      ->type_name("IDLE.hap");
  std::vector<std::string> layers = {"hap"};
  for (const Layer layer : all_layers) layers.emplace_back(to_string(layer));
  command->add_option("--layer", options->layer, "Whose code lcov output shows: hap, or a layer")
      ->check(CLI::IsMember(layers))
      ->capture_default_str()
      ->type_name("LAYER");
  add_analysis_options(*command, options->analysis);
  command->footer(
      "Examples:\n"
      "  hap report redis.hap\n"
      "  hap report --baseline idle.hap redis.hap\n"
      "  hap report --format json redis.hap > redis.json\n"
      "  hap report --format html out/ > report.html\n"
      "  hap report --format lcov --source-root ~/linux redis.hap > redis.info && genhtml redis.info -o cov");
  command->callback(
      [options, &session] { session.run = [options, &session] { return report(*options, session); }; });
}

}  // namespace hap::cli
