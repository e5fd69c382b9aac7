#include "measure/needed_syscalls.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "attribute/scope.h"
#include "measure/seccomp_filter.h"
#include "measure/syscall_names.h"

namespace hap::measure {
namespace {

constexpr uint32_t seccomp_number = 317;
constexpr uint32_t x86_64_architecture = 0xc000003e;  // AUDIT_ARCH_X86_64

constexpr std::string_view runtime_names[] = {
    // both
    "capset", "close", "execve", "fcntl", "prctl", "rt_sigaction", "rt_sigprocmask", "write",
    // runc
    "capget", "chdir", "epoll_ctl", "faccessat2", "fstat", "fstatfs", "futex", "getcwd", "getdents64",
    "getpid", "getppid", "newfstatat", "openat", "read", "setgid", "setgroups", "setuid",
    // runc, Go's scheduler, collector and signals
    "brk", "clone", "clone3", "epoll_pwait", "getrandom", "gettid", "madvise", "mmap", "mprotect", "munmap",
    "nanosleep", "sched_yield", "set_robust_list", "rseq", "sigaltstack", "tgkill",
    // crun
    "close_range", "pselect6", "setresgid", "setresuid"};

constexpr std::string_view unasked_names[] = {"exit", "exit_group", "restart_syscall", "rt_sigreturn"};

using Process = std::pair<int32_t, std::string>;  // thread group, and what it called itself

// Rows of the container's processes while they were still the runtime's: everything up to the task that
// installed the filter, and that process for as long as it kept its name (execve gives it the service's).
class RuntimeTasks {
 public:
  RuntimeTasks(const RecordingHeader& header, const std::vector<const Task*>& tenant) {
    std::optional<uint32_t> first;
    std::unordered_map<uint32_t, const Task*> by_id;
    for (const Task* task : tenant) by_id.emplace(task->id, task);
    for (const auto& row : header.syscalls) {
      if (row.number != static_cast<int32_t>(seccomp_number) || !by_id.contains(row.task)) continue;
      first = std::min(first.value_or(row.task), row.task);
    }
    if (!first) return;
    installer_ = first;
    const Task& task = *by_id.at(*first);
    process_ = {task.tgid, task.comm};
  }

  bool contains(const Task& task) const {
    if (!installer_) return false;
    return task.id <= *installer_ || Process{task.tgid, task.comm} == process_;
  }

 private:
  std::optional<uint32_t> installer_;
  Process process_;
};

// By process: the filters that were loaded.
Result<std::map<int32_t, std::vector<FilterProgram>>> loaded_filters(const RecordingHeader& header) {
  std::map<int32_t, std::vector<FilterProgram>> processes;
  for (const auto& filter : header.filters) {
    HAP_TRY(program, parse_filter(std::as_bytes(std::span(filter.program))));
    processes[filter.pid].push_back(std::move(program));
  }
  return processes;
}

// Whether every process of the tenant was denied the call. False when there are no filters.
Result<bool> refused_everywhere(const std::map<int32_t, std::vector<FilterProgram>>& processes,
                                uint32_t number) {
  for (const auto& [pid, programs] : processes) {
    HAP_TRY(permission, evaluate_all(programs, number, x86_64_architecture));
    if (permission != Permission::denied) return false;
  }
  return !processes.empty();
}

// Moves what the filters refused out of what the service needs.
Status set_refused_apart(const RecordingHeader& header, NeededSyscalls& needed) {
  HAP_TRY(processes, loaded_filters(header));
  for (auto row = needed.service.begin(); row != needed.service.end();) {
    HAP_TRY(refused, refused_everywhere(processes, row->first));
    if (refused) needed.refused.insert(row->first);
    row = refused ? needed.service.erase(row) : std::next(row);
  }
  return {};
}

}  // namespace

void NeededSyscalls::merge(const NeededSyscalls& other) {
  for (const auto& [number, tasks] : other.service) service[number].insert(tasks.begin(), tasks.end());
  runtime_setup.insert(other.runtime_setup.begin(), other.runtime_setup.end());
  unnamed.insert(other.unnamed.begin(), other.unnamed.end());
  refused.insert(other.refused.begin(), other.refused.end());
  std::erase_if(refused, [&](uint32_t number) { return service.contains(number); });
}

Result<NeededSyscalls> needed_syscalls(const RecordingHeader& header) {
  if (header.syscalls.empty()) {
    return Error("the recording does not count system calls", ErrorKind::usage)
        .hint("record with the emulator collector (`hap measure`)");
  }
  const attribute::Scope scope(header);
  std::unordered_map<uint32_t, const Task*> tasks;
  std::vector<const Task*> tenant;
  for (const auto& task : header.tasks) {
    if (task.space != Space::host || scope.role_of_task(task.id) != Role::application) continue;
    tasks.emplace(task.id, &task);
    tenant.push_back(&task);
  }
  const RuntimeTasks runtime(header, tenant);
  NeededSyscalls needed;
  for (const auto& row : header.syscalls) {
    const auto found = tasks.find(row.task);
    // Numbers with the x32 bit, and -1 of a tracer that skipped a call, are nobody's.
    if (found == tasks.end() || row.number < 0) continue;
    const auto number = static_cast<uint32_t>(row.number);
    if (syscall_name(number).empty()) {
      needed.unnamed.insert(number);
    } else if (runtime.contains(*found->second)) {
      needed.runtime_setup.insert(number);
    } else {
      needed.service[number].insert(found->second->comm);
    }
  }
  if (needed.service.empty()) {
    return Error("the tenant makes no system calls of the machine: between them stands another kernel",
                 ErrorKind::usage)
        .hint("take recordings of the same workload in `bare` or a container such as `docker-default`");
  }
  HAP_CHECK(set_refused_apart(header, needed));
  return needed;
}

std::span<const std::string_view> runtime_syscalls() {
  return runtime_names;
}

std::span<const std::string_view> unasked_syscalls() {
  return unasked_names;
}

}  // namespace hap::measure
