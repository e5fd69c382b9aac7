// hap seccomp: a seccomp profile made to measure from recordings.
#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/analysis.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "report/seccomp_advice.h"

namespace hap::cli {
namespace {

struct Options {
  std::vector<std::string> recordings;
  std::vector<std::string> extra;
  std::string output;
  std::string format;
  bool audit = false;
  AnalysisOptions analysis;
};

Result<int> seccomp(const Options& options) {
  HAP_TRY(paths, store::find_recordings(options.recordings));
  measure::NeededSyscalls needed;
  std::optional<store::Cell> compared;
  for (const auto& path : paths) {
    HAP_TRY(cell, open_trusted_cell(path, options.analysis));
    auto of_cell = measure::needed_syscalls(cell.recording.header());
    if (!of_cell) return Error(of_cell.error()).at(path);
    needed.merge(*of_cell);
    // The first with a filter, otherwise the first.
    const bool better = !compared || (compared->recording.header().filters.empty() &&
                                      !cell.recording.header().filters.empty());
    if (better) compared.emplace(std::move(cell));
  }
  HAP_TRY(advice, report::advise_seccomp(needed, options.extra));
  advice.recordings = paths;
  HAP_CHECK(report::compare_with_filter(advice, compared->recording.header(),
                                        report::KernelReach(compared->profile, compared->resolver)));
  const std::string profile = report::render_profile(advice.names(), options.audit);
  if (!options.output.empty()) HAP_CHECK(write_file_atomic(options.output, profile, 0644));
  const std::string format =
      options.format.empty() ? (options.output.empty() ? "profile" : "text") : options.format;
  if (format == "profile") HAP_CHECK(print(profile));
  if (format == "text") HAP_CHECK(print(report::render_text(advice)));
  if (format == "json") HAP_CHECK(print(report::render_json(advice)));
  return exit_done;
}

}  // namespace

void add_seccomp(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("seccomp", "Makes a seccomp profile of what a workload was seen to need");
  command->add_option("recordings", options->recordings, "Recordings, or folders with recordings")
      ->required()
      ->type_name("F.hap");
  command
      ->add_option("-o,--output", options->output,
                   "Profile to write; the report then goes to standard output")
      ->type_name("FILE.json");
  command->add_flag("--audit", options->audit, "A profile that logs what it would refuse (SCMP_ACT_LOG)");
  command->add_option("--allow", options->extra, "Permit these system calls too")
      ->delimiter(',')
      ->type_name("NAME,...");
  command
      ->add_option("--format", options->format,
                   "On standard output: profile, or what it removes as text or json (default: profile, with "
                   "-o text)")
      ->check(CLI::IsMember({"profile", "text", "json"}))
      ->type_name("FORMAT");
  add_analysis_options(*command, options->analysis);
  command->footer(
      "Examples:\n"
      "  hap measure -s docker-default -w redis-set -o redis.hap && hap seccomp redis.hap -o redis.json\n"
      "  podman run --security-opt seccomp=redis.json ...\n"
      "  hap seccomp --audit redis.hap > redis-audit.json     log instead of refuse; see the kernel's log\n"
      "  hap seccomp --format json redis.r*.hap               what it takes away, for programs\n\n"
      "All phases count. Take recordings in bare or a container: behind gVisor or in a virtual machine the\n"
      "tenant makes no system calls of the host.");
  command->callback([options, &session] { session.run = [options] { return seccomp(*options); }; });
}

}  // namespace hap::cli
