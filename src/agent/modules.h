// Loading the kernel modules the host chose, in the order it resolved.
#pragma once

#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::agent {

struct ModuleLine {
  std::string path;
  std::string parameters;
};

// Parses the list the host wrote: one module a line, path, then its parameters; # starts a comment.
std::vector<ModuleLine> parse_module_list(const std::string& text);

// Inserts one module; one that is there already is fine.
Status load_module(const ModuleLine& module);

// Loads the whole list. A module that does not load is reported but does not stop the others: which ones a
// measurement needs is decided where it needs them.
std::vector<Error> load_modules(const std::vector<ModuleLine>& modules);

}  // namespace hap::agent
