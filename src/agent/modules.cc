#include "agent/modules.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "base/unique_fd.h"

namespace hap::agent {

std::vector<ModuleLine> parse_module_list(const std::string& text) {
  std::vector<ModuleLine> modules;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    size_t space = line.find(' ');
    if (space == std::string::npos) {
      modules.push_back({line, ""});
    } else {
      modules.push_back({line.substr(0, space), line.substr(space + 1)});
    }
  }
  return modules;
}

Status load_module(const ModuleLine& module) {
  UniqueFd fd(open(module.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("opening a kernel module", errno).at(module.path);
  if (syscall(SYS_finit_module, fd.get(), module.parameters.c_str(), 0) != 0 && errno != EEXIST) {
    return Error::from_errno("loading a kernel module", errno).at(module.path);
  }
  return {};
}

std::vector<Error> load_modules(const std::vector<ModuleLine>& modules) {
  std::vector<Error> failures;
  for (const auto& module : modules) {
    if (auto loaded = load_module(module); !loaded) failures.push_back(loaded.error());
  }
  return failures;
}

}  // namespace hap::agent
