#include "sandbox/seccomp_dump.h"

#include <linux/filter.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

namespace hap::sandbox {
namespace {

// Lets the task go on, whatever happens in between.
class Stopped {
 public:
  static Result<Stopped> stop(pid_t task) {
    if (::ptrace(PTRACE_SEIZE, task, 0, 0) != 0) return Error::from_errno("cannot trace the task", errno);
    Stopped stopped(task);
    if (::ptrace(PTRACE_INTERRUPT, task, 0, 0) != 0) return Error::from_errno("cannot stop the task", errno);
    int status = 0;
    while (::waitpid(task, &status, __WALL) < 0) {
      if (errno != EINTR) return Error::from_errno("waiting for the task to stop", errno);
    }
    return stopped;
  }
  Stopped(Stopped&& other) noexcept : task_(other.task_) { other.task_ = -1; }
  Stopped& operator=(Stopped&&) = delete;
  ~Stopped() {
    if (task_ > 0) ::ptrace(PTRACE_DETACH, task_, 0, 0);
  }

 private:
  explicit Stopped(pid_t task) : task_(task) {}
  pid_t task_;
};

// A process that has ended meanwhile is an error, not one without a filter.
Result<bool> has_filter(pid_t task) {
  HAP_TRY(status, read_file("/proc/" + std::to_string(task) + "/status"));
  return status.find("\nSeccomp:\t2") != std::string::npos;
}

}  // namespace

Result<std::vector<std::string>> seccomp_filters(pid_t task) {
  std::vector<std::string> programs;
  HAP_TRY(filtered, has_filter(task));
  if (!filtered) return programs;
  auto stopped = Stopped::stop(task);
  if (!stopped) return stopped.error();
  for (unsigned long index = 0;; ++index) {
    const long count =
        ::ptrace(static_cast<__ptrace_request>(PTRACE_SECCOMP_GET_FILTER), task, index, nullptr);
    if (count < 0 && errno == ENOENT) break;
    if (count < 0) return Error::from_errno("cannot read the seccomp filter", errno);
    std::string program(static_cast<size_t>(count) * sizeof(sock_filter), '\0');
    if (::ptrace(static_cast<__ptrace_request>(PTRACE_SECCOMP_GET_FILTER), task, index, program.data()) < 0) {
      return Error::from_errno("cannot read the seccomp filter", errno);
    }
    programs.push_back(std::move(program));
  }
  // The kernel counts from the one installed first (get_nth_filter), whatever ptrace(2) says.
  std::reverse(programs.begin(), programs.end());
  return programs;
}

}  // namespace hap::sandbox
