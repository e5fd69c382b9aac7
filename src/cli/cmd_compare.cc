// hap compare: sandboxes side by side, with uncertainty and the sensitivity of their order.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "base/paths.h"
#include "base/text_layout.h"
#include "cli/commands.h"
#include "cli/compare_inputs.h"
#include "cli/compare_page.h"
#include "cli/terminal.h"
#include "compare/printable_names.h"
#include "hap/compare.h"
#include "hap/ledger.h"
#include "hap/resolver.h"

namespace hap::cli {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::vector<std::string> density_files;
  std::string workload;
  std::string format = "text";
  bool fresh = false;
  CompareOptions compare;
  AnalysisOptions analysis;
};

// The `subsystem` model: the ledger's records of the kernel over the lines of its source folders, as far as
// the kernel's symbols tell. Null, with the reason in `notes`, when either is not there.
Result<std::optional<DensityModel>> subsystem_model(const std::vector<ReportSummary>& reports,
                                                    std::vector<std::string>& notes) {
  const auto without = [&](const std::string& why) {
    notes.push_back("Density model subsystem: unknown, " + why + ".");
    return std::optional<DensityModel>();
  };
  HAP_TRY(records, ledger::load_records());
  if (records.empty()) return without("no vulnerability records were imported (see `hap help ledger`)");
  std::string build_id;
  for (const ReportSummary& report : reports) {
    if (!report.kernel_build_id.empty()) build_id = report.kernel_build_id;
  }
  HAP_TRY(cache, cache_dir());
  const auto index = Index::open(index_path(cache, build_id));
  if (build_id.empty() || !index) return without("the kernel's symbols are not here");

  std::map<std::string, std::uint64_t> lines;
  for (FunctionId id = 0; id < index->function_count(); ++id) {
    const FunctionView function = index->function(id);
    if (!function.out_of_line || !function.lines || function.file.empty()) continue;
    lines[ledger::subsystem_of(std::string(function.file))] += *function.lines;
  }
  std::map<std::string, RecordedPart> parts;
  double all_records = 0;
  double all_lines = 0;
  for (const auto& [subsystem, density] : ledger::subsystem_bug_density(records, lines)) {
    const auto found = lines.find(subsystem);
    if (found == lines.end() || subsystem.empty()) continue;
    parts[subsystem] = {density.records, static_cast<double>(found->second)};
    all_records += density.records;
    all_lines += static_cast<double>(found->second);
  }
  if (all_records <= 0) return without("no imported record names a source file of this kernel");
  return std::optional(DensityModel::table(
      "subsystem",
      fmt::format("{:.0f} published records over {:.0f} lines of functions, by source folder", all_records,
                  all_lines),
      densities_from_records(parts), 1000 * all_records / all_lines));
}

Result<int> run_compare(const Options& options, const Session& session) {
  CompareOptions settings = options.compare;
  for (const std::string& file : options.density_files) {
    HAP_TRY(model, load_density_table(file));
    settings.models.push_back(std::move(model));
  }
  HAP_TRY(files, find_compare_inputs(options.inputs));
  HAP_TRY(reports, load_summaries(files, options.analysis,
                                  options.fresh ? SummarySource::analysis : SummarySource::any));
  if (!options.workload.empty()) {
    std::erase_if(reports, [&](const ReportSummary& report) { return report.workload != options.workload; });
  }
  if (reports.empty() && !options.workload.empty()) {
    return Error("nothing was measured with the workload " + options.workload, ErrorKind::usage);
  }
  std::vector<std::string> notes;
  HAP_TRY(subsystem, subsystem_model(reports, notes));
  if (subsystem) settings.models.insert(settings.models.begin(), std::move(*subsystem));
  HAP_TRY(comparison, compare_reports(std::move(reports), std::move(settings)));
  comparison.notes.insert(comparison.notes.end(), notes.begin(), notes.end());
  if (options.format == "html") {
    HAP_TRY(page, compare_page(files, comparison, options.analysis, session));
    HAP_CHECK(print(page));
    return exit_done;
  }
  HAP_CHECK(print(options.format == "json"
                      ? render_json(comparison)
                      : folded_lines(render_text(compare::with_printable_names(comparison)))));
  return exit_done;
}

}  // namespace

void add_compare(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("compare", "Rank sandboxes, and say which order survives the choices made");
  command->add_option("inputs", options->inputs, "Recordings, reports (JSON), or folders of them")
      ->required()
      ->type_name("F.hap|DIR");
  command->add_option("--workload", options->workload, "Only recordings of this workload")->type_name("NAME");
  command
      ->add_option("--density", options->density_files,
                   "Further density model: TOML or CSV table, repeatable")
      ->type_name("FILE");
  command
      ->add_option("--sigma", options->compare.density_sigma,
                   "How far densities may be off: standard deviation of the logarithm")
      ->check(CLI::Range(0.0, 5.0))
      ->capture_default_str();
  command
      ->add_option("--popular-factor", options->compare.popular_factor,
                   "Density of code that every workload exercises, relative to other code")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--confidence", options->compare.confidence,
                   "Probability from which an order counts as told")
      ->check(CLI::Range(0.5, 0.999))
      ->capture_default_str();
  command
      ->add_option("--seed", options->compare.seed, "Of the resampling: the same seed gives the same digits")
      ->capture_default_str();
  command->add_option("--format", options->format, "Output format")
      ->check(CLI::IsMember({"text", "json", "html"}))
      ->capture_default_str();
  command->add_flag("--fresh", options->fresh,
                    "Analyse every recording, whatever summaries were kept or came with them");
  add_analysis_options(*command, options->analysis);
  command->footer(
      "Examples:\n"
      "  hap compare figure/                               a campaign's recordings\n"
      "  hap compare figure/ --workload redis-set\n"
      "  hap compare figure/ --density data/density/example.toml\n\n"
      "Probabilities need at least three boots per sandbox (`boots = 3` in a campaign); with fewer the order "
      "of the\n"
      "values is shown and called untested. docs/metrics.md explains every figure.");
  command->callback(
      [options, &session] { session.run = [options, &session] { return run_compare(*options, session); }; });
}

}  // namespace hap::cli
