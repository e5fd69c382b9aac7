// Processes and threads of this machine, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hap/recording.h"
#include "hap/result.h"

namespace hap::live {

struct ProcessRow {
  pid_t pid = 0;
  pid_t ppid = 0;
  std::string comm;
  uint64_t start_ticks = 0;
  bool kernel_thread = false;
};

// Every process (thread group) there is. Those that end meanwhile are left out.
std::vector<ProcessRow> list_processes();

// Nothing when there is no such process.
std::optional<ProcessRow> read_process(pid_t pid);

// The threads of a process; empty when it is gone.
std::vector<pid_t> threads_of(pid_t tgid);

// The thread group a thread belongs to, 0 when it is gone.
pid_t process_of(pid_t tid);

// Path in the v2 hierarchy, empty when unknown.
std::string v2_cgroup_of(pid_t pid);

// Arguments of a process, empty for kernel threads and the dead.
std::vector<std::string> arguments_of(pid_t pid);

// The row of a recording for a thread, without id. Nothing when it is gone.
std::optional<Task> describe_thread(pid_t tid);

}  // namespace hap::live
