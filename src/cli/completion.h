// Completions for bash and zsh, made from the command definitions.
#pragma once

#include <string>

#include "cli/command_model.h"

namespace hap::cli {

// A script that bash-completion loads as completions/hap; works without bash-completion as well.
std::string bash_completion(const CommandModel& program);

// A script for zsh, to be installed as _hap in a folder of $fpath.
std::string zsh_completion(const CommandModel& program);

}  // namespace hap::cli
