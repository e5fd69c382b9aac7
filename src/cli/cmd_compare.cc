// hap compare: sandboxes side by side, with uncertainty and the sensitivity of their order.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "hap/compare.h"

namespace hap::cli {
namespace {
namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> inputs;
  std::vector<std::string> density_files;
  std::string workload;
  std::string format = "text";
  CompareOptions compare;
};

// The files that an argument stands for: itself, or the reports of a folder.
Result<std::vector<std::string>> files_of(const std::string& input) {
  std::error_code failure;
  const fs::file_status status = fs::status(input, failure);
  if (status.type() == fs::file_type::not_found)
    return Error("no such file or folder", ErrorKind::usage).at(input);
  if (status.type() != fs::file_type::directory) return std::vector<std::string>{input};
  std::vector<std::string> found;
  for (fs::directory_iterator entry(input, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->path().extension() == ".json") found.push_back(entry->path().string());
  }
  if (failure) return Error::from_errno("cannot read the folder", failure.value()).at(input);
  if (found.empty()) return Error("no reports in this folder", ErrorKind::usage).at(input);
  std::sort(found.begin(), found.end());
  return found;
}

Result<int> run_compare(const Options& options) {
  CompareOptions settings = options.compare;
  for (const std::string& file : options.density_files) {
    HAP_TRY(model, load_density_table(file));
    settings.models.push_back(std::move(model));
  }
  std::vector<ReportSummary> reports;
  for (const std::string& input : options.inputs) {
    HAP_TRY(files, files_of(input));
    for (const std::string& file : files) {
      HAP_TRY(report, load_report_summary(file));
      if (options.workload.empty() || report.workload == options.workload)
        reports.push_back(std::move(report));
    }
  }
  if (reports.empty() && !options.workload.empty()) {
    return Error("nothing was measured with the workload " + options.workload, ErrorKind::usage);
  }
  HAP_TRY(comparison, compare_reports(std::move(reports), std::move(settings)));
  HAP_CHECK(print(options.format == "json" ? render_json(comparison) : render_text(comparison)));
  return exit_done;
}

}  // namespace

void add_compare(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("compare", "Rank sandboxes, and say which order survives the choices made");
  command->add_option("inputs", options->inputs, "Reports (JSON), or folders of them")
      ->required()
      ->type_name("FILE|DIR");
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
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  hap compare figure/                               a campaign's recordings\n"
      "  hap compare figure/ --workload redis-set\n"
      "  hap compare figure/ --density data/density/example.toml\n\n"
      "Probabilities need at least three boots per sandbox (`boots = 3` in a campaign); with fewer the order "
      "of the\n"
      "values is shown and called untested. docs/metrics.md explains every figure.");
  command->callback([options, &session] { session.run = [options] { return run_compare(*options); }; });
}

}  // namespace hap::cli
