// hap: the command line of hapmeter.
//
// main only assembles: parse (no side effects), run the chosen command, render its error, give the status.
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/paths.h"
#include "base/temp_dir.h"
#include "cli/commands.h"
#include "cli/help_format.h"
#include "cli/terminal.h"
#include "command_table.h"

namespace hap::cli {

std::unique_ptr<Progress> Session::progress() const {
  return make_stream_progress(STDERR_FILENO);
}

namespace {

int exit_status(const Error& error) {
  return error.kind() == ErrorKind::usage ? exit_usage : exit_failed;
}

int run(int argc, char** argv) {
  CLI::App app{"Measures how much code an isolation technology exposes to the workload it isolates.", "hap"};
  app.set_version_flag("--version", std::string("hapmeter ") + HAP_VERSION);
  app.require_subcommand(1);
  app.formatter(std::make_shared<FoldingFormatter>());
  Session session;
  session.color = wants_color(STDOUT_FILENO);
  for (int i = 0; i < argc; ++i)
    session.command_line += (i > 0 ? " " : "") + std::string(i > 0 ? argv[i] : "hap");
  add_commands(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_done : exit_usage;
  }
  if (const auto installed = install_cancel_handlers(); !installed) {
    print_error(installed.error());
    return exit_failed;
  }
  if (const auto cache = cache_dir()) reap_abandoned(*cache + "/tmp");
  const auto status = session.run();
  if (status) return *status;
  print_error(status.error());
  return exit_status(status.error());
}

}  // namespace
}  // namespace hap::cli

int main(int argc, char** argv) {
  return hap::cli::run(argc, argv);
}
