// hap completion: prints what is made from the command definitions, for the build and for packagers.
#include <CLI/CLI.hpp>

#include "cli/command_model.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/manual.h"
#include "cli/terminal.h"

namespace hap::cli {
namespace {

struct Options {
  std::string what;
  std::string command;
};

Result<int> print_made(const CLI::App& app, const Options& options) {
  const CommandModel program = describe_commands(app);
  if (options.what == "bash") {
    HAP_CHECK(print(bash_completion(program)));
  } else if (options.what == "zsh") {
    HAP_CHECK(print(zsh_completion(program)));
  } else if (options.what == "commands") {
    for (const auto& command : program.commands) HAP_CHECK(print(command.name + "\n"));
  } else {
    const CommandModel* command =
        options.command.empty() || options.command == program.name ? &program : program.find(options.command);
    if (command == nullptr) return Error("there is no command `" + options.command + "`", ErrorKind::usage);
    HAP_CHECK(print(man_page(program, *command, HAP_VERSION)));
  }
  return exit_done;
}

}  // namespace

void add_completion(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("completion", "Print a completion script for a shell, or a man page");
  command->group("");  // not in the help: packages install what it prints
  command
      ->add_option("what", options->what,
                   "bash or zsh: a completion script; commands: their names; man: a man page")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "commands", "man"}));
  command->add_option("command", options->command, "For man: the command (default: hap itself)");
  command->footer(
      "Examples:\n"
      "  source <(hap completion bash)\n"
      "  hap completion zsh > ~/.zfunc/_hap");
  command->callback(
      [options, &app, &session] { session.run = [options, &app] { return print_made(app, *options); }; });
}

}  // namespace hap::cli
