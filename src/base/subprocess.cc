#include "base/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

namespace hap {
namespace {

using Clock = std::chrono::steady_clock;

int poll_timeout(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1 << 30));
}

// Moves the given descriptors to 0, 1, 2. Runs between fork and exec: async-signal-safe calls only.
bool redirect_standard_streams(const SpawnOptions& options) {
  const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int wanted[3] = {options.stdin_fd, options.stdout_fd, options.stderr_fd};
  int safe[3];
  for (int i = 0; i < 3; ++i) {
    // Copies above the standard range first, so that no dup2 overwrites a source.
    safe[i] = ::fcntl(wanted[i] >= 0 ? wanted[i] : null_fd, F_DUPFD_CLOEXEC, 10);
    if (safe[i] < 0) return false;
  }
  for (int i = 0; i < 3; ++i) {
    if (::dup2(safe[i], i) < 0) return false;
  }
  return true;
}

struct ChildPlan {
  std::string program;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

[[noreturn]] void run_child(const SpawnOptions& options, const ChildPlan& plan, int error_fd, pid_t parent) {
  auto fail = [&] {
    const int err = errno;
    if (::write(error_fd, &err, sizeof err) < 0) ::_exit(126);
    ::_exit(127);
  };
  if (options.own_process_group) ::setpgid(0, 0);
  if (options.die_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // the parent died before prctl
  }
  if (options.cgroup_procs_fd >= 0 && ::write(options.cgroup_procs_fd, "0", 1) != 1) fail();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (!redirect_standard_streams(options)) fail();
  for (const int fd : options.keep_fds) ::fcntl(fd, F_SETFD, 0);
  if (!options.working_dir.empty() && ::chdir(options.working_dir.c_str()) != 0) fail();
  ::execve(plan.program.c_str(), plan.argv.data(), plan.envp.data());
  fail();
  ::_exit(127);
}

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return name;
    return std::nullopt;
  }
  const char* path = std::getenv("PATH");
  std::stringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  // Administrators' programs (runc, mke2fs) are often outside an ordinary user's PATH.
  std::string all = folders.str() + ":/usr/local/sbin:/usr/sbin:/sbin";
  std::stringstream stream(all);
  for (std::string folder; std::getline(stream, folder, ':');) {
    const std::string candidate = folder + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

Result<Subprocess> Subprocess::spawn(const SpawnOptions& options) {
  if (options.argv.empty()) return Error("no program to start");
  const auto program = find_program(options.argv[0]);
  if (!program) {
    return Error("the program `" + options.argv[0] + "` was not found", ErrorKind::unsupported)
        .hint("install it, or see `hap doctor`");
  }
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (options.env.count(text.substr(0, text.find('='))) == 0) environment.push_back(text);
  }
  for (const auto& [name, value] : options.env) environment.push_back(name + "=" + value);
  ChildPlan plan{*program, {}, {}};
  for (const auto& argument : options.argv) plan.argv.push_back(const_cast<char*>(argument.c_str()));
  for (auto& entry : environment) plan.envp.push_back(entry.data());
  plan.argv.push_back(nullptr);
  plan.envp.push_back(nullptr);

  int error_pipe[2];
  if (::pipe2(error_pipe, O_CLOEXEC) != 0) return Error::from_errno("cannot create a pipe", errno);
  UniqueFd read_end(error_pipe[0]);
  UniqueFd write_end(error_pipe[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno("cannot fork", errno);
  if (pid == 0) run_child(options, plan, write_end.get(), parent);
  write_end.reset();
  int child_errno = 0;
  if (::read(read_end.get(), &child_errno, sizeof child_errno) == sizeof child_errno) {
    ::waitpid(pid, nullptr, 0);
    return Error::from_errno("cannot start", child_errno).at(*program);
  }
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return Subprocess(pid, std::move(pidfd), options.own_process_group);
}

Subprocess::Subprocess(Subprocess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      group_(other.group_),
      status_(std::exchange(other.status_, std::nullopt)) {}

Subprocess& Subprocess::operator=(Subprocess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(group_, other.group_);
  std::swap(status_, other.status_);
  return *this;
}

Subprocess::~Subprocess() {
  terminate(std::chrono::milliseconds(0));
}

Result<std::optional<int>> Subprocess::wait_for(std::chrono::milliseconds timeout) {
  if (status_) return status_;
  if (pid_ < 0) return Error("the process was moved away or already ended");
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) {
      status_ = status;
      return status_;
    }
    if (ended < 0 && errno != EINTR) return Error::from_errno("cannot wait", errno);
    if (Clock::now() >= deadline) return std::optional<int>();
    struct pollfd waiter {
      pidfd_.get(), POLLIN, 0
    };
    ::poll(&waiter, 1, pidfd_.valid() ? poll_timeout(deadline) : std::min(20, poll_timeout(deadline)));
  }
}

Result<int> Subprocess::wait() {
  HAP_TRY(status, wait_for(std::chrono::hours(24 * 365)));
  if (!status) return Error("the process did not end");
  return *status;
}

void Subprocess::terminate(std::chrono::milliseconds grace) {
  if (pid_ < 0 || status_) return;
  const pid_t target = group_ ? -pid_ : pid_;
  if (grace.count() > 0) {
    ::kill(target, SIGTERM);
    const auto ended = wait_for(grace);
    if (ended && *ended) {
      if (group_) ::kill(target, SIGKILL);  // descendants that outlived the leader
      return;
    }
  }
  ::kill(target, SIGKILL);
  // A process that was sent SIGKILL ends; there is nothing to do about the exotic rest.
  (void)wait_for(std::chrono::seconds(10));
}

int RunOutput::exit_code() const {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

namespace {

// One end of a pipe to the child, driven by poll.
struct Stream {
  UniqueFd fd;
  std::string* sink;
};

Status drain(Stream& stream, size_t limit) {
  char buffer[1 << 16];
  const ssize_t count = ::read(stream.fd.get(), buffer, sizeof buffer);
  if (count < 0)
    return errno == EINTR || errno == EAGAIN ? Status() : Error::from_errno("cannot read", errno);
  if (count == 0) {
    stream.fd.reset();
    return {};
  }
  const size_t room = limit - std::min(limit, stream.sink->size());
  stream.sink->append(buffer, std::min(room, static_cast<size_t>(count)));
  return {};
}

}  // namespace

Result<RunOutput> run(SpawnOptions options, std::chrono::milliseconds timeout, const std::string& input,
                      size_t limit) {
  int out_pipe[2];
  int err_pipe[2];
  int in_pipe[2];
  if (::pipe2(out_pipe, O_CLOEXEC) != 0) return Error::from_errno("cannot create a pipe", errno);
  UniqueFd out_read(out_pipe[0]);
  UniqueFd out_write(out_pipe[1]);
  if (::pipe2(err_pipe, O_CLOEXEC) != 0) return Error::from_errno("cannot create a pipe", errno);
  UniqueFd err_read(err_pipe[0]);
  UniqueFd err_write(err_pipe[1]);
  if (::pipe2(in_pipe, O_CLOEXEC) != 0) return Error::from_errno("cannot create a pipe", errno);
  UniqueFd in_read(in_pipe[0]);
  UniqueFd in_write(in_pipe[1]);
  ::fcntl(in_write.get(), F_SETFL, O_NONBLOCK);
  options.stdin_fd = in_read.get();
  options.stdout_fd = out_write.get();
  options.stderr_fd = err_write.get();
  HAP_TRY(child, Subprocess::spawn(options));
  in_read.reset();
  out_write.reset();
  err_write.reset();

  RunOutput output;
  Stream streams[2] = {{std::move(out_read), &output.out}, {std::move(err_read), &output.err}};
  std::string_view pending = input;
  if (pending.empty()) in_write.reset();
  const auto deadline = Clock::now() + timeout;
  // Writing to a child that stopped reading must be an error value, not a signal.
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  Status failure;
  while (failure && (streams[0].fd.valid() || streams[1].fd.valid())) {
    struct pollfd waiters[3] = {
        {streams[0].fd.get(), POLLIN, 0}, {streams[1].fd.get(), POLLIN, 0}, {in_write.get(), POLLOUT, 0}};
    const int ready = ::poll(waiters, 3, poll_timeout(deadline));
    if (ready < 0 && errno != EINTR) failure = Error::from_errno("cannot poll", errno);
    if (ready == 0) failure = Error("`" + options.argv[0] + "` did not end in time");
    for (int i = 0; i < 2 && failure && ready > 0; ++i) {
      if (waiters[i].revents != 0) failure = drain(streams[i], limit);
    }
    if (failure && ready > 0 && waiters[2].revents != 0) {
      const ssize_t count = ::write(in_write.get(), pending.data(), pending.size());
      if (count > 0) pending.remove_prefix(static_cast<size_t>(count));
      if ((count < 0 && errno != EAGAIN && errno != EINTR) || pending.empty()) in_write.reset();
    }
  }
  ::sigaction(SIGPIPE, &before, nullptr);
  if (!failure) return failure.error();
  const auto left = std::chrono::milliseconds(poll_timeout(deadline));
  HAP_TRY(status, child.wait_for(left));
  if (!status) return Error("`" + options.argv[0] + "` did not end in time");
  output.status = *status;
  return output;
}

Result<std::string> run_checked(SpawnOptions options, std::chrono::milliseconds timeout) {
  const std::string name = options.argv.empty() ? "" : options.argv[0];
  HAP_TRY(output, run(std::move(options), timeout));
  if (output.ok()) return std::move(output.out);
  constexpr size_t tail = 2000;
  const std::string& text = output.err.empty() ? output.out : output.err;
  const std::string last = text.size() > tail ? "..." + text.substr(text.size() - tail) : text;
  return Error("`" + name + "` failed with status " + std::to_string(output.exit_code()) + ": " + last);
}

}  // namespace hap
