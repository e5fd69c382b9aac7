// Who belongs to what the user named, now and as it changes.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collect/live_collector.h"
#include "hap/recording.h"
#include "hap/result.h"
#include "live/cgroups.h"
#include "live/containers.h"
#include "live/processes.h"

namespace hap::live {

struct ScopeRequest {
  enum class Kind { process, cgroup, container, command };
  Kind kind = Kind::process;
  std::string value;  // pid, cgroup, container id or name; empty for a command
  pid_t pid = 0;      // of a held command
};

class ScopeFinder {
 public:
  // Errors (usage): nothing of that name.
  static Result<ScopeFinder> find(const ScopeRequest& request);

  // The complete scope as of now. `everything` looks for VMs and kernel threads too, which reads all of
  // /proc; without it, only what can change at any moment and the collectors cannot follow: members of
  // cgroups.
  collect::LiveScope look(bool everything);

  // The rules of the recording; those of single threads are the recorder's.
  const std::vector<ScopeRule>& rules() const { return rules_; }
  // What to call it when the user gave no name: "redis-server", "container web".
  const std::string& title() const { return title_; }
  // "process", "cgroup", "container", "command"; "vm" when it is a VM.
  std::string kind() const;
  bool has_guests() const { return !vm_processes_.empty(); }
  // Members may come without being forked by one: cgroups.
  bool has_changing_members() const { return !groups_.empty(); }
  // Nothing of the scope is left.
  bool ended() const;

 private:
  // `all`: every process there is.
  void add_process_tree(pid_t root, const std::vector<ProcessRow>& all);
  void look_for_vms(const std::vector<ProcessRow>& all);
  void look_for_kernel_threads(const std::vector<ProcessRow>& all);
  // Threads of a VM process, each with its class.
  void add_vm(pid_t pid);
  void add_thread(pid_t tid, pid_t tgid, collect::ThreadClass thread_class);
  void add_process(pid_t pid);

  ScopeRequest request_;
  std::string title_;
  std::vector<ScopeRule> rules_;
  std::vector<FoundCgroup> groups_;
  std::vector<std::string> vm_marks_;  // text that a VM's command line holds when it is the container's
  std::set<pid_t> processes_;
  std::set<pid_t> vm_processes_;
  std::vector<collect::ScopedThread> threads_;
};

// Roles of the recording for the classes of threads.
std::string role_of(collect::ThreadClass thread_class);

}  // namespace hap::live
