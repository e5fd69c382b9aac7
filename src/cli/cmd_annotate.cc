// hap annotate: source lines with what executed.
#include <CLI/CLI.hpp>

#include "cli/analysis.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "report/annotate.h"

namespace hap::cli {
namespace {

struct Options {
  std::string recording, target, source_root;
  AnalysisOptions analysis;
};

Result<int> annotate(const Options& options) {
  HAP_TRY(cell, open_trusted_cell(options.recording, options.analysis));
  HAP_TRY(annotations, report::annotate(cell.profile, cell.resolver, options.target));
  std::string out;
  for (const auto& annotation : annotations)
    out += report::render_text(annotation, options.source_root) + "\n";
  out +=
      "H: in the HAP; s: only with softirqs; v: in another layer; -: has code, did not execute. The first "
      "number\n"
      "is that of the windows of serving in which the line ran.\n";
  HAP_CHECK(print(out));
  return exit_done;
}

}  // namespace

void add_annotate(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("annotate", "Shows which lines of a function or file executed");
  command->add_option("recording", options->recording, "Recording")->required()->type_name("F.hap");
  command->add_option("target", options->target, "Function, or source file or its last parts")
      ->required()
      ->type_name("FILE|FUNCTION");
  command
      ->add_option("--source,--source-root", options->source_root,
                   "Source tree; without it, line numbers only")
      ->type_name("DIR");
  add_analysis_options(*command, options->analysis);
  command->footer(
      "Examples:\n"
      "  hap annotate redis.hap tcp_sendmsg\n"
      "  hap annotate --source ~/linux-6.12 redis.hap net/ipv4/tcp.c");
  command->callback([options, &session] { session.run = [options] { return annotate(*options); }; });
}

}  // namespace hap::cli
