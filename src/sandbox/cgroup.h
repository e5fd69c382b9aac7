// One cgroup of the v2 hierarchy.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap::sandbox {

// Where the v2 hierarchy is mounted: /sys/fs/cgroup, or its `unified` folder on a host that also has v1.
Result<std::string> cgroup_mount();

class Cgroup {
 public:
  // Makes the cgroup (path as the kernel names it, "/hap/cell") and its parents.
  static Result<Cgroup> create(const std::string& path);
  // One that somebody else makes and removes, or that may not exist yet.
  static Result<Cgroup> name(const std::string& path);

  const std::string& path() const { return path_; }
  std::string folder() const { return mount_ + path_; }
  bool exists() const;
  // Open cgroup.procs, for SpawnOptions::cgroup_procs_fd.
  Result<UniqueFd> procs_fd() const;
  // Moves a whole process here; 0 is the caller.
  Status adopt(pid_t pid) const;
  // Thread groups in it and in its descendants.
  std::vector<pid_t> processes() const;
  // Kills everything in it and its descendants and waits until it is empty.
  Status kill(std::chrono::milliseconds patience = std::chrono::seconds(10)) const;
  // Removes it and its descendants, which must be empty; nothing there is fine.
  Status remove() const;

 private:
  Cgroup(std::string mount, std::string path) : mount_(std::move(mount)), path_(std::move(path)) {}
  std::string mount_;
  std::string path_;
};

}  // namespace hap::sandbox
