// The subcommands of `hap`: one file cmd_<name>.cc each.
//
// To add a command: write cmd_<name>.cc with a function `void add_<name>(CLI::App& app, Session& session)`
// that defines options, help text with examples, and a callback that sets session.run; add <name> to the list
// in src/cli/CMakeLists.txt, which makes main call it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/progress.h"
#include "hap/result.h"

namespace CLI {
class App;
}

namespace hap::cli {

// Exit status of hap (design contract).
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_threshold = 3;

// What a command gets from main and gives back. A command's CLI11 callback sets `run`; main calls it after
// parsing, so that parsing has no side effects.
struct Session {
  std::function<Result<int>()> run;
  CancelToken cancel;
  std::string command_line;  // as the user typed it, for recordings
  bool color = false;        // standard output is a terminal and NO_COLOR is not set

  // A progress reporter on standard error.
  std::unique_ptr<Progress> progress() const;
};

}  // namespace hap::cli
