// Who belongs to the sandbox: the recording's scope rules applied to its tasks, sockets, devices and files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hap/profile.h"
#include "hap/recording.h"

namespace hap::attribute {

// Precedence, strongest first: load (a load generator is never counted, whatever else matches), tid, comm
// (which only refines tasks that another rule put in scope), pid with its descendants, kthread, cgroup (the
// longest matching path).
class Scope {
 public:
  explicit Scope(const RecordingHeader& header);

  Role role_of_task(uint32_t task_id) const;
  // A cgroup path: the one of a socket's owner.
  Role role_of_cgroup(std::string_view path) const;
  // "ifname@netns-inode" of the recording against rules of either form.
  Role role_of_netdev(std::string_view name) const;
  // The role of user code from this file, or `none` when no rule names it.
  Role role_of_image(std::string_view path) const;

 private:
  void match_pids(const RecordingHeader& header);
  void match_tasks(const RecordingHeader& header);
  void refine_by_comm(const RecordingHeader& header);

  struct Rule {
    std::string value;
    Role role;
  };
  std::vector<Rule> cgroups_, pids_, tids_, comms_, kthreads_, netdevs_, images_;
  std::unordered_map<uint32_t, Role> by_pid_rule_;  // task id -> role from pid rules
  std::unordered_map<uint32_t, Role> tasks_;
};

// The roles whose doings are the sandbox's own.
inline bool is_inside(Role role) {
  return role == Role::application || role == Role::sandbox || role == Role::vcpu;
}

}  // namespace hap::attribute
