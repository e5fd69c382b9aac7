#include "sandbox/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <thread>

#include "base/file.h"

namespace hap::sandbox {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

Status write_control(const std::string& path, const std::string& text) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("cannot open", errno).at(path);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Error::from_errno("cannot write " + text, errno).at(path);
  }
  return {};
}

// The cgroup and its descendants, deepest first.
std::vector<std::string> subtree(const std::string& folder) {
  std::vector<std::string> all{folder};
  std::error_code code;
  for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) all.push_back(it->path().string());
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return all;
}

}  // namespace

Result<std::string> cgroup_mount() {
  for (const char* candidate : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct stat status {};
    if (::stat((std::string(candidate) + "/cgroup.procs").c_str(), &status) == 0)
      return std::string(candidate);
  }
  return Error("this machine has no cgroup v2 hierarchy", ErrorKind::unsupported)
      .hint("mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
}

Result<Cgroup> Cgroup::name(const std::string& path) {
  HAP_TRY(mount, cgroup_mount());
  return Cgroup(mount, path);
}

Result<Cgroup> Cgroup::create(const std::string& path) {
  HAP_TRY(group, name(path));
  HAP_CHECK(make_dirs(group.folder()));
  return group;
}

bool Cgroup::exists() const {
  struct stat status {};
  return ::stat(folder().c_str(), &status) == 0;
}

Result<UniqueFd> Cgroup::procs_fd() const {
  const std::string path = folder() + "/cgroup.procs";
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("cannot open", errno).at(path);
  return fd;
}

Status Cgroup::adopt(pid_t pid) const {
  return write_control(folder() + "/cgroup.procs", std::to_string(pid));
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> pids;
  for (const auto& folder : subtree(folder())) {
    const auto text = read_file(folder + "/cgroup.procs");
    if (!text) continue;
    std::istringstream lines(*text);
    for (pid_t pid = 0; lines >> pid;) {
      if (pid > 0) pids.push_back(pid);
    }
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

Status Cgroup::kill(std::chrono::milliseconds patience) const {
  if (!exists()) return {};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (!write_control(folder() + "/cgroup.kill", "1")) {  // before Linux 5.14
      for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
    }
    for (int tries = 0; tries < 20; ++tries) {
      if (processes().empty()) return {};
      std::this_thread::sleep_for(5ms);
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return Error("processes of the sandbox do not end", ErrorKind::sandbox).at(path_);
    }
  }
}

Status Cgroup::remove() const {
  if (!exists()) return {};
  for (const auto& folder : subtree(folder())) {
    // A cgroup stays busy for a moment after its last process was reaped.
    for (int tries = 0; ::rmdir(folder.c_str()) != 0 && errno != ENOENT; ++tries) {
      if (errno != EBUSY || tries == 200)
        return Error::from_errno("cannot remove the cgroup", errno).at(folder);
      std::this_thread::sleep_for(5ms);
    }
  }
  return {};
}

}  // namespace hap::sandbox
