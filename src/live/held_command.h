// A command that is started stopped, so that it can be watched from its first instruction on.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap::live {

class HeldCommand {
 public:
  // Starts a process that waits; it keeps this process's terminal and standard streams. Ends it when this
  // object goes before release(). Errors (usage): no such program.
  static Result<HeldCommand> start(const std::vector<std::string>& argv);
  HeldCommand(HeldCommand&& other) noexcept;
  HeldCommand& operator=(HeldCommand&&) = delete;
  ~HeldCommand();

  pid_t pid() const { return pid_; }
  // Lets it execute the program. Errors: it could not.
  Status release();
  // Status as of waitpid(2) once it has ended.
  std::optional<int> ended();
  // SIGTERM, and waits for the end; after `grace_ms` SIGKILL.
  void stop(int grace_ms = 2000);

 private:
  HeldCommand(pid_t pid, UniqueFd go, UniqueFd problem)
      : pid_(pid), go_(std::move(go)), problem_(std::move(problem)) {}
  pid_t pid_ = -1;
  UniqueFd go_;       // closing it without a byte makes the child leave
  UniqueFd problem_;  // the child writes errno if it cannot execute
  std::optional<int> status_;
};

}  // namespace hap::live
