// Sandbox: one isolation technology, able to run one service at a time on this machine.
//
// To add another: derive from Sandbox in a file of its own, and add one row to the table in catalogue.cc
// (name, summary, what it needs, factory). docs/sandboxes.md has the recipe and what isolates in each
// technology.
//
// A sandbox declares who belongs to it by scope rules (hap/recording.h) instead of by tracing anything: which
// cgroups, processes, kernel threads and network devices exist on its account, and in which role. Whoever set
// it up (runtime, shim, monitor) runs in the cgroup `daemon_cgroup` and is a host daemon; the load generator
// is in `load_cgroup`, which no rule of a sandbox ever covers.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hap/recording.h"
#include "hap/result.h"
#include "sandbox/service.h"

namespace hap::sandbox {

// Paths in the cgroup v2 hierarchy.
inline constexpr const char* scope_cgroup = "/hap/cell";
inline constexpr const char* daemon_cgroup = "/hap/daemon";
inline constexpr const char* load_cgroup = "/hap/load";

// What a user may vary about a sandbox.
struct Options {
  std::string runtime;          // OCI sandboxes: runtime program; empty: the sandbox's own choice
  std::string seccomp_profile;  // content of an OCI or containers-common profile; empty: the default
  std::string seccomp_origin;   // where that profile came from, for the recording; empty: the user gave it
  bool vhost = true;            // VM sandboxes: packets through vhost-net
};

// A running sandbox with the service in it. Everything in it are facts as of the moment start() returned.
struct Instance {
  std::string address;  // IPv4, reachable from the machine's own network namespace
  uint16_t port = 0;
  std::vector<pid_t> processes;  // thread groups outside or inside the cgroup that matter by role
  std::vector<ScopeRule> scope;
  std::map<std::string, std::string>
      facts;  // versions, hashes of profiles, options: go to the recording's meta
  std::vector<std::string> expected_tasks;  // thread names that must exist while serving (guard)
};

// Executable mappings of a process that cannot be seen from the machine itself (a nested guest's).
struct GuestMapping {
  int32_t pid = 0;
  std::string comm;
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t offset = 0;
  uint64_t inode = 0;
  std::string path;
};

// Something the sandbox cannot work without.
struct Requirement {
  enum class Kind { program, device, file, kernel_feature, lab_only };
  Kind kind = Kind::program;
  std::string what;     // program name, path, or feature
  std::string package;  // Debian package that has it, or empty
  std::string why;
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  // Starts the sandbox with the service in it; returns as soon as the service's process was started
  // (readiness is the workload's to judge). On an error everything it had set up is gone again. Errors are of
  // kind `sandbox`, or `unsupported` when a requirement is missing.
  virtual Result<Instance> start(const Service& service) = 0;
  // Ends the service and the sandbox and removes what start() made. Also allowed after a failed start.
  virtual Status stop() = 0;
  // Why the service may have failed: the last lines of what it and its runtime printed.
  virtual std::string last_words() const = 0;
  // Scope rules that only exist once the sandbox has run for a while (worker threads made on demand).
  virtual std::vector<ScopeRule> late_scope() { return {}; }
  // Mappings inside a nested guest; empty for everything that shares the machine's kernel.
  virtual Result<std::vector<GuestMapping>> guest_mappings() { return std::vector<GuestMapping>(); }
};

}  // namespace hap::sandbox
