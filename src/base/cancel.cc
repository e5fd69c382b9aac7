#include "base/cancel.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace hap {
namespace {

// Signal handlers can reach process-wide state only; this is the one place that keeps some.
std::atomic<bool> cancel_requested{false};
std::atomic<int> cancel_fd{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void on_signal(int signal_number) {
  if (cancel_requested.exchange(true)) ::_exit(128 + signal_number);
  const int saved = errno;
  const uint64_t one = 1;
  if (::write(cancel_fd.load(), &one, sizeof one) < 0) {
    // The flag is set; pollers time out and see it.
  }
  errno = saved;
}

}  // namespace

bool CancelToken::requested() const {
  return cancel_requested.load(std::memory_order_relaxed);
}

Status CancelToken::check() const {
  if (!requested()) return {};
  return Error("interrupted", ErrorKind::interrupted);
}

int CancelToken::poll_fd() const {
  return cancel_fd.load();
}

Status install_cancel_handlers() {
  if (cancel_fd.load() < 0) cancel_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (cancel_fd.load() < 0) return Error::from_errno("cannot create an eventfd", errno);
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (::sigaction(number, &action, nullptr) != 0) return Error::from_errno("cannot handle signals", errno);
  }
  return {};
}

}  // namespace hap
