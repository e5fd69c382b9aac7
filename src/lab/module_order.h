// From a list of wanted kernel modules and modules.dep to the order in which they are inserted.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::lab {

struct WantedModule {
  std::string name;
  std::string parameters;
  bool optional = false;
};

struct ModuleFile {
  std::string path;  // as in modules.dep: relative to the folder of the kernel release
  std::string parameters;
};

// Lines `name [parameters...] [?]`; # starts a comment.
std::vector<WantedModule> parse_wanted_modules(const std::string& text);

// modules.dep: `path: dependency...`, dependencies nearest first.
class ModuleTree {
 public:
  // `dependencies` and `builtin` are the texts of modules.dep and modules.builtin.
  ModuleTree(const std::string& dependencies, const std::string& builtin);
  // Every file once, a module after all it needs. A missing module that is not optional is an error.
  Result<std::vector<ModuleFile>> order(const std::vector<WantedModule>& wanted) const;

 private:
  struct Row {
    std::string path;
    std::vector<std::string> needs;  // paths, nearest first
  };
  std::map<std::string, Row> rows_;  // by name with `_` for `-`
  std::map<std::string, bool> builtin_;
};

}  // namespace hap::lab
