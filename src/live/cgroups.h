// The cgroup file systems of this machine: the unified hierarchy, version 1's, or both.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::live {

struct CgroupMount {
  std::string point;  // "/sys/fs/cgroup"
  bool v2 = false;
  std::string controllers;  // version 1: "cpu,cpuacct", "name=systemd"
};

// In the order of /proc/self/mountinfo, whose text is given.
std::vector<CgroupMount> parse_cgroup_mounts(const std::string& mountinfo);

struct FoundCgroup {
  std::string folder;  // in the file system
  std::string path;    // in its hierarchy: "/system.slice/redis.service"
  bool v2 = false;
  uint64_t id = 0;  // v2: inode of the folder
};

// A group named by a folder (/sys/fs/cgroup/a/b), a path in a hierarchy (/a/b) or its last parts
// (redis.service), which must be the name of one group only. The unified hierarchy goes first; in a hybrid
// one, a group that only version 1's hierarchies know is found there. Errors (usage): nothing of that name;
// several; the root, which is everything.
Result<FoundCgroup> find_cgroup(const std::vector<CgroupMount>& mounts, const std::string& name);

// Every group whose folder's name holds `part`, wherever it is.
std::vector<FoundCgroup> cgroups_with(const std::vector<CgroupMount>& mounts, const std::string& part);

// All threads in the group and below.
std::vector<pid_t> threads_in(const FoundCgroup& group);

// Reads /proc/self/mountinfo. Errors: no cgroup file system is mounted.
Result<std::vector<CgroupMount>> cgroup_mounts();

}  // namespace hap::live
