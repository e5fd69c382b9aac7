// Starting programs by argument vector (never through a shell) and not outliving them by accident.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap {

struct SpawnOptions {
  std::vector<std::string> argv;           // argv[0] is looked up on PATH unless it has a slash
  std::map<std::string, std::string> env;  // added to this process's environment
  std::string working_dir;                 // "" keeps this process's
  int stdin_fd = -1;                       // -1: /dev/null
  int stdout_fd = -1;                      // -1: /dev/null
  int stderr_fd = -1;                      // -1: /dev/null
  std::vector<int> keep_fds;               // stay open in the child under the same numbers
  int cgroup_procs_fd = -1;                // an open cgroup.procs: the child joins that cgroup before exec
  bool die_with_parent = true;             // PR_SET_PDEATHSIG(SIGKILL): survives no kill -9 of this process
  bool own_process_group = true;           // so that terminate() reaches descendants too
};

// A running child. The destructor kills the process group and reaps it.
class Subprocess {
 public:
  static Result<Subprocess> spawn(const SpawnOptions& options);

  Subprocess(Subprocess&& other) noexcept;
  Subprocess& operator=(Subprocess&& other) noexcept;
  ~Subprocess();

  pid_t pid() const { return pid_; }
  // The exit status as of waitpid(2), or nothing when it still runs after `timeout`.
  Result<std::optional<int>> wait_for(std::chrono::milliseconds timeout);
  Result<int> wait();
  // SIGTERM, then SIGKILL after `grace`; reaps.
  void terminate(std::chrono::milliseconds grace = std::chrono::milliseconds(500));
  // A pidfd that becomes readable when the process ends.
  int pidfd() const { return pidfd_.get(); }

 private:
  Subprocess(pid_t pid, UniqueFd pidfd, bool group) : pid_(pid), pidfd_(std::move(pidfd)), group_(group) {}
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  bool group_ = false;
  std::optional<int> status_;
};

struct RunOutput {
  int status = 0;  // as of waitpid(2)
  std::string out;
  std::string err;
  bool ok() const { return status == 0; }
  int exit_code() const;  // 128 + signal when killed
};

// Runs to completion and captures both outputs (each at most `limit` bytes). Not starting is an Error, a
// non-zero exit is not. After `timeout` the process group is killed and an Error returned.
Result<RunOutput> run(SpawnOptions options, std::chrono::milliseconds timeout = std::chrono::minutes(10),
                      const std::string& input = {}, size_t limit = size_t{64} << 20);

// As run(), but a non-zero exit is an Error that carries the last lines of standard error.
Result<std::string> run_checked(SpawnOptions options,
                                std::chrono::milliseconds timeout = std::chrono::minutes(10));

// Full path of a program on PATH, or nothing.
std::optional<std::string> find_program(const std::string& name);

}  // namespace hap
