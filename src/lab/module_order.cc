#include "lab/module_order.h"

#include <algorithm>
#include <set>
#include <sstream>

namespace hap::lab {
namespace {

// `kernel/net/ipv4/nf-x.ko.xz` -> `nf_x`
std::string module_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  name = name.substr(0, name.find(".ko"));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace

std::vector<WantedModule> parse_wanted_modules(const std::string& text) {
  std::vector<WantedModule> wanted;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line.substr(0, line.find('#')));
    WantedModule module;
    if (!(fields >> module.name)) continue;
    for (std::string word; fields >> word;) {
      if (word == "?") {
        module.optional = true;
      } else {
        module.parameters += (module.parameters.empty() ? "" : " ") + word;
      }
    }
    wanted.push_back(module);
  }
  return wanted;
}

ModuleTree::ModuleTree(const std::string& dependencies, const std::string& builtin) {
  std::istringstream lines(dependencies);
  for (std::string line; std::getline(lines, line);) {
    size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    Row row{line.substr(0, colon), {}};
    std::istringstream needs(line.substr(colon + 1));
    for (std::string path; needs >> path;) row.needs.push_back(path);
    rows_[module_name(row.path)] = row;
  }
  std::istringstream built(builtin);
  for (std::string path; std::getline(built, path);) builtin_[module_name(path)] = true;
}

Result<std::vector<ModuleFile>> ModuleTree::order(const std::vector<WantedModule>& wanted) const {
  std::map<std::string, std::string> parameters;
  for (const auto& module : wanted) {
    if (!module.parameters.empty()) parameters[module_name(module.name)] = module.parameters;
  }
  std::vector<ModuleFile> files;
  std::set<std::string> done;
  auto add = [&](const std::string& path) {
    if (!done.insert(path).second) return;
    auto found = parameters.find(module_name(path));
    files.push_back({path, found == parameters.end() ? "" : found->second});
  };
  for (const auto& module : wanted) {
    std::string name = module_name(module.name);
    auto row = rows_.find(name);
    if (row == rows_.end()) {
      if (builtin_.count(name) != 0 || module.optional) continue;
      return Error("the kernel has no module " + module.name);
    }
    // depmod lists all of them, also indirect ones, so that the last must come first.
    for (auto need = row->second.needs.rbegin(); need != row->second.needs.rend(); ++need) add(*need);
    add(row->second.path);
  }
  return files;
}

}  // namespace hap::lab
