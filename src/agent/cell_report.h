// What a cell tells about itself, as JSON, and the facts about tasks it is checked by.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hap/recording.h"
#include "sandbox/sandbox.h"

namespace hap::agent {

// A thread that was in the scope's cgroup at the end of the load.
struct TaskFact {
  pid_t pid = 0;
  pid_t tgid = 0;
  std::string comm;
};

const char* to_text(Phase phase);
bool is_running(pid_t pid);
// Every thread in the scope's cgroup and of the processes that rules name.
std::vector<TaskFact> tasks_of_scope(const std::vector<ScopeRule>& rules);
// An Error of kind `sandbox` when a thread class that must exist is missing: the guard against a scope that
// lost its processes. A name matches a task whose name starts with it.
Status check_expected_tasks(const std::vector<TaskFact>& tasks, const std::vector<std::string>& expected);

struct ScopeFilters {
  nlohmann::json rows = nlohmann::json::array();  // [{pid, role, position, program_hex}]
  unsigned unfiltered = 0;  // processes, other than host daemons, that were asked and have no filter
};
// The seccomp filters of the scope's processes. A process that cannot be asked (its ptracer is gVisor) is
// left out.
ScopeFilters filters_of_scope(const std::vector<TaskFact>& tasks, const std::vector<ScopeRule>& rules);

nlohmann::json windows_to_json(const std::vector<Window>& windows);
nlohmann::json tasks_to_json(const std::vector<TaskFact>& tasks);
nlohmann::json mappings_to_json(const std::vector<sandbox::GuestMapping>& mappings);

}  // namespace hap::agent
