#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "agent/operations.h"
#include "base/unique_fd.h"

namespace hap::agent {
namespace {

constexpr const char* kConsole = "/dev/ttyS0";

// In the child: a session of its own with the console as its terminal, then the shell.
[[noreturn]] void become_shell(const std::string& term, const winsize& size) {
  setsid();
  int tty = open(kConsole, O_RDWR);
  if (tty < 0 || ioctl(tty, TIOCSCTTY, 1) != 0) _exit(126);
  ioctl(tty, TIOCSWINSZ, &size);
  for (int fd = 0; fd < 3; ++fd) dup2(tty, fd);
  if (tty > 2) close(tty);
  setenv("TERM", term.c_str(), 1);
  setenv("PS1", "lab:\\w# ", 1);
  if (chdir("/root") != 0) _exit(126);
  execl("/bin/bash", "bash", "--noprofile", "--norc", "-i", static_cast<char*>(nullptr));
  _exit(127);
}

Result<Reply> shell(const Call& call) {
  winsize size{};
  size.ws_row = call.request.value("rows", static_cast<unsigned short>(24));
  size.ws_col = call.request.value("columns", static_cast<unsigned short>(80));
  auto term = call.request.value("term", std::string("linux"));
  pid_t child = fork();
  if (child < 0) return Error::from_errno("cannot fork", errno);
  if (child == 0) become_shell(term, size);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Error::from_errno("waiting for the shell", errno);
  }
  return Reply{{{"status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)}}, {}};
}

}  // namespace

void add_shell_operation(Dispatcher& dispatcher) {
  dispatcher.add("shell", shell);
}

}  // namespace hap::agent
