#include "sandbox/service_command.h"

#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace hap::sandbox {
namespace fs = std::filesystem;

std::vector<std::string> service_command(const Service& service, const std::string& address,
                                         bool would_be_root) {
  std::vector<std::string> argv;
  if (service.runs_as_user && would_be_root) {
    argv = {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"};
  }
  const std::string place = "{address}";
  for (std::string argument : service.argv) {
    for (size_t at = 0; (at = argument.find(place, at)) != std::string::npos; at += address.size()) {
      argument.replace(at, place.size(), address);
    }
    argv.push_back(std::move(argument));
  }
  return argv;
}

std::string task_name(const Service& service) {
  if (!service.task.empty()) return service.task;
  return service.argv.empty() ? "" : fs::path(service.argv[0]).filename().string().substr(0, 15);
}

std::vector<pid_t> with_command_line(const std::vector<pid_t>& pids, const std::string& text) {
  std::vector<pid_t> found;
  for (const pid_t pid : pids) {
    const auto line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
    if (line && line->find(text) != std::string::npos) found.push_back(pid);
  }
  return found;
}

std::vector<std::string> kernel_threads_of(pid_t pid) {
  std::vector<std::string> names;
  const std::string number = std::to_string(pid);
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/proc", code)) {
    if (std::atoi(entry.path().filename().c_str()) <= 0) continue;
    // A kernel thread has no command line and no executable.
    const auto line = read_file(entry.path().string() + "/cmdline");
    auto comm = read_file(entry.path().string() + "/comm");
    if (!line || !line->empty() || !comm) continue;
    if (!comm->empty() && comm->back() == '\n') comm->pop_back();
    const size_t at = comm->rfind(number);
    if (at == std::string::npos || at == 0 || at + number.size() != comm->size()) continue;
    const char before = (*comm)[at - 1];
    if (before == '-' || before == '/') names.push_back(*comm);
  }
  return names;
}

}  // namespace hap::sandbox
