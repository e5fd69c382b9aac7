#include "live/cgroups.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <sstream>

#include "base/file.h"

namespace hap::live {
namespace {

namespace fs = std::filesystem;

constexpr size_t most_groups = 100'000;  // more than any machine has; ends a walk through a loop

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

FoundCgroup group_at(const CgroupMount& mount, const std::string& folder) {
  FoundCgroup group;
  group.folder = folder;
  group.v2 = mount.v2;
  group.path = folder.substr(mount.point.size());
  if (group.path.empty()) group.path = "/";
  struct stat status {};
  if (mount.v2 && ::stat(folder.c_str(), &status) == 0) group.id = status.st_ino;
  return group;
}

void walk(const CgroupMount& mount, const std::function<void(const std::string& folder)>& visit) {
  std::error_code failure;
  size_t count = 0;
  for (fs::recursive_directory_iterator
           entry(mount.point, fs::directory_options::skip_permission_denied, failure),
       end;
       !failure && entry != end && count < most_groups; entry.increment(failure)) {
    std::error_code gone;
    if (!entry->is_directory(gone) || entry->is_symlink(gone)) continue;
    ++count;
    visit(entry->path().string());
  }
}

std::string without_slash_at_end(std::string text) {
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

Error root_group() {
  return Error("the root cgroup is the whole machine, not a sandbox", ErrorKind::usage)
      .hint("name a group below it: systemd-cgls shows them");
}

}  // namespace

std::vector<CgroupMount> parse_cgroup_mounts(const std::string& mountinfo) {
  std::vector<CgroupMount> mounts;
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    // 36 35 98:0 /root /mount/point options [fields...] - type source super-options
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream front(line.substr(0, dash));
    std::istringstream back(line.substr(dash + 3));
    std::string ignored, point, type, source, options;
    front >> ignored >> ignored >> ignored >> ignored >> point;
    back >> type >> source >> options;
    if (type == "cgroup2") mounts.push_back({point, true, ""});
    if (type == "cgroup") mounts.push_back({point, false, options});
  }
  return mounts;
}

Result<std::vector<CgroupMount>> cgroup_mounts() {
  HAP_TRY(text, read_file("/proc/self/mountinfo"));
  auto mounts = parse_cgroup_mounts(text);
  if (mounts.empty()) {
    return Error("no cgroup file system is mounted", ErrorKind::unsupported)
        .hint("mount -t cgroup2 none /sys/fs/cgroup; in a container, mount the host's folder into it");
  }
  // The unified hierarchy goes first.
  std::stable_sort(mounts.begin(), mounts.end(),
                   [](const CgroupMount& a, const CgroupMount& b) { return a.v2 > b.v2; });
  return mounts;
}

std::vector<FoundCgroup> cgroups_with(const std::vector<CgroupMount>& mounts, const std::string& part) {
  std::vector<FoundCgroup> found;
  for (const CgroupMount& mount : mounts) {
    walk(mount, [&](const std::string& folder) {
      if (fs::path(folder).filename().string().find(part) != std::string::npos) {
        found.push_back(group_at(mount, folder));
      }
    });
  }
  return found;
}

Result<FoundCgroup> find_cgroup(const std::vector<CgroupMount>& mounts, const std::string& wanted) {
  const std::string name = without_slash_at_end(wanted);
  if (name.empty() || name == "/") return root_group();
  for (const CgroupMount& mount : mounts) {
    if (name == mount.point) return root_group();
    if (name.rfind(mount.point + "/", 0) == 0 && is_folder(name)) return group_at(mount, name);
  }
  for (const CgroupMount& mount : mounts) {
    const std::string folder = mount.point + (name.front() == '/' ? "" : "/") + name;
    if (is_folder(folder)) return group_at(mount, folder);
  }
  // The last parts of a path: those of all hierarchies of version 1 are the same group.
  const std::string ending = "/" + (name.front() == '/' ? name.substr(1) : name);
  std::vector<FoundCgroup> found;
  for (const CgroupMount& mount : mounts) {
    walk(mount, [&](const std::string& folder) {
      if (folder.size() >= ending.size() &&
          folder.compare(folder.size() - ending.size(), ending.size(), ending) == 0) {
        found.push_back(group_at(mount, folder));
      }
    });
    if (!found.empty()) break;
  }
  if (found.empty()) {
    return Error("no cgroup of this name", ErrorKind::usage).at(wanted).hint("systemd-cgls shows all");
  }
  if (found.size() > 1) {
    return Error(fmt::format("{} cgroups have this name: {} and {}", found.size(), found[0].path,
                             found[1].path),
                 ErrorKind::usage)
        .at(wanted)
        .hint("give the whole path");
  }
  return found.front();
}

std::vector<pid_t> threads_in(const FoundCgroup& group) {
  // Version 1 calls the file `tasks`; version 2 has cgroup.threads, which a threaded group's own root shows.
  std::vector<pid_t> threads;
  const auto read_group = [&](const std::string& folder) {
    const auto text = read_file(folder + (group.v2 ? "/cgroup.threads" : "/tasks"), 1 << 24);
    if (!text) return;
    std::istringstream numbers(*text);
    for (pid_t number = 0; numbers >> number;) threads.push_back(number);
  };
  read_group(group.folder);
  CgroupMount here{group.folder, group.v2, ""};
  walk(here, read_group);
  return threads;
}

}  // namespace hap::live
