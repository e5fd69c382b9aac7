#include "live/held_command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/subprocess.h"

namespace hap::live {
namespace {

constexpr int poll_ms = 20;

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void wait_and_execute(const char* program, char* const* argv, int go, int problem) {
  // Not left behind, stopped, by a killed hap.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_DFL);
  char byte = 0;
  ssize_t count = 0;
  do {
    count = ::read(go, &byte, 1);
  } while (count < 0 && errno == EINTR);
  if (count != 1) ::_exit(127);
  // A measured service may outlive the measurement's end by its own choice.
  ::prctl(PR_SET_PDEATHSIG, 0);
  ::execv(program, argv);
  const int err = errno;
  if (::write(problem, &err, sizeof err) < 0) ::_exit(126);
  ::_exit(127);
}

}  // namespace

Result<HeldCommand> HeldCommand::start(const std::vector<std::string>& argv) {
  if (argv.empty()) return Error("no command", ErrorKind::usage);
  const auto program = find_program(argv[0]);
  if (!program) return Error("no such program", ErrorKind::usage).at(argv[0]);
  int go[2];
  int problem[2];
  if (::pipe2(go, O_CLOEXEC) != 0) return Error::from_errno("cannot make a pipe", errno);
  UniqueFd go_read(go[0]);
  UniqueFd go_write(go[1]);
  if (::pipe2(problem, O_CLOEXEC) != 0) return Error::from_errno("cannot make a pipe", errno);
  UniqueFd problem_read(problem[0]);
  UniqueFd problem_write(problem[1]);
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno("cannot start a process", errno);
  if (pid == 0) {
    ::close(go_write.get());
    wait_and_execute(program->c_str(), arguments.data(), go_read.get(), problem_write.get());
  }
  return HeldCommand(pid, std::move(go_write), std::move(problem_read));
}

HeldCommand::HeldCommand(HeldCommand&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      go_(std::move(other.go_)),
      problem_(std::move(other.problem_)),
      status_(other.status_) {}

HeldCommand::~HeldCommand() {
  if (pid_ < 0 || status_) return;
  if (go_.valid()) {  // never released
    go_.reset();
    ::waitpid(pid_, nullptr, 0);
    return;
  }
  stop();
}

Status HeldCommand::release() {
  const char byte = 1;
  if (::write(go_.get(), &byte, 1) != 1) return Error::from_errno("cannot start the command", errno);
  go_.reset();
  int err = 0;
  ssize_t count = 0;
  do {
    count = ::read(problem_.get(), &err, sizeof err);
  } while (count < 0 && errno == EINTR);
  problem_.reset();
  if (count == sizeof err)
    return Error::from_errno("cannot execute the command", err).of_kind(ErrorKind::usage);
  return {};
}

std::optional<int> HeldCommand::ended() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

void HeldCommand::stop(int grace_ms) {
  if (ended()) return;
  ::kill(pid_, SIGTERM);
  for (int waited = 0; waited < grace_ms; waited += poll_ms) {
    if (ended()) return;
    ::usleep(poll_ms * 1000);
  }
  ::kill(pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) status_ = status;
}

}  // namespace hap::live
