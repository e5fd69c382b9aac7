#include "agent/guest_service.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>

#include "agent/guest_network.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "sandbox/rootfs.h"

namespace hap::agent {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Lives as long as the dispatcher that holds the operations.
struct GuestService {
  std::optional<Subprocess> process;
};

Result<Reply> start_service(const Call& call, GuestService& guest) {
  const json& request = call.request;
  if (request.contains("device")) {
    HAP_CHECK(set_address({request.at("device").get<std::string>(), request.at("address").get<std::string>(),
                           request.at("gateway").get<std::string>()}));
  }
  sandbox::Service service;
  for (const auto& file : request.at("files")) {
    service.files.push_back({file.at("path").get<std::string>(), file.at("content").get<std::string>(),
                             file.at("mode").get<unsigned>()});
  }
  HAP_CHECK(sandbox::place_files(service, ""));
  // What the service prints shows on the console, which the sandbox outside keeps.
  UniqueFd console(::open("/dev/console", O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!console.valid()) return Error::from_errno("cannot open the console", errno);
  SpawnOptions options;
  options.argv = request.at("argv").get<std::vector<std::string>>();
  options.env = request.at("env").get<std::map<std::string, std::string>>();
  options.working_dir = request.at("working_dir").get<std::string>();
  options.stdout_fd = console.get();
  options.stderr_fd = console.get();
  HAP_TRY(process, Subprocess::spawn(options));
  guest.process = std::move(process);
  return Reply{{{"pid", guest.process->pid()}}, {}};
}

// The executable rows of one process's maps: "start-end perms offset device inode path".
void add_mappings(json& rows, const std::string& folder) {
  const auto maps = read_file(folder + "/maps");
  const auto comm = read_file(folder + "/comm");
  if (!maps || !comm) return;
  std::istringstream lines(*maps);
  for (std::string line; std::getline(lines, line);) {
    unsigned long start = 0;
    unsigned long end = 0;
    unsigned long offset = 0;
    unsigned long inode = 0;
    char permissions[5] = {};
    int path_at = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %lx %*s %lu %n", &start, &end, permissions, &offset, &inode,
                    &path_at) != 5 ||
        permissions[2] != 'x') {
      continue;
    }
    rows.push_back({{"pid", std::atoi(fs::path(folder).filename().c_str())},
                    {"comm", comm->substr(0, comm->find('\n'))},
                    {"start", start},
                    {"end", end},
                    {"offset", offset},
                    {"inode", inode},
                    {"path", line.substr(static_cast<size_t>(path_at))}});
  }
}

Result<Reply> executable_mappings(const Call&) {
  json rows = json::array();
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/proc", code)) {
    if (std::atoi(entry.path().filename().c_str()) > 0) add_mappings(rows, entry.path().string());
  }
  return Reply{{{"mappings", rows}}, {}};
}

}  // namespace

void add_guest_operations(Dispatcher& dispatcher) {
  auto guest = std::make_shared<GuestService>();
  dispatcher.add("start_service", [guest](const Call& call) { return start_service(call, *guest); });
  dispatcher.add("stop_service", [guest](const Call&) -> Result<Reply> {
    if (guest->process) guest->process->terminate(std::chrono::seconds(5));
    guest->process.reset();
    return Reply{};
  });
  dispatcher.add("executable_mappings", executable_mappings);
}

}  // namespace hap::agent
