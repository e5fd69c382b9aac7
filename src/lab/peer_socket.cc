#include "lab/peer_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace hap::lab {

Status PeerSocket::wait(short events, Deadline deadline, const CancelToken& cancel) {
  for (;;) {
    HAP_CHECK(cancel.check());
    auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiters[3] = {{fd_.get(), events, 0}, {peer_pidfd_, POLLIN, 0}, {cancel.poll_fd(), POLLIN, 0}};
    int ready = poll(waiters, 3, static_cast<int>(std::clamp<long long>(left.count(), 0, 60000)));
    if (ready < 0 && errno != EINTR) return Error::from_errno("waiting for the lab machine", errno);
    // What arrived before the end is still read.
    if (ready > 0 && (waiters[0].revents & (events | POLLHUP | POLLERR)) != 0) return {};
    if (ready > 0 && waiters[1].revents != 0) return Error(kMachineEnded);
    if (left.count() <= 0) return Error("the lab machine did not answer in time");
  }
}

Result<std::string> PeerSocket::receive(Deadline deadline, const CancelToken& cancel) {
  std::string buffer(size_t{1} << 16, '\0');
  for (;;) {
    HAP_CHECK(wait(POLLIN, deadline, cancel));
    ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) {
      buffer.resize(static_cast<size_t>(got));
      return buffer;
    }
    // A QEMU that ends before it has read everything resets the line instead of closing it.
    if (got == 0 || errno == ECONNRESET) return Error(kMachineEnded);
    if (errno != EAGAIN && errno != EINTR) return Error::from_errno("reading from the lab machine", errno);
  }
}

Status PeerSocket::send(std::string_view bytes, Deadline deadline, const CancelToken& cancel) {
  while (!bytes.empty()) {
    HAP_CHECK(wait(POLLOUT, deadline, cancel));
    ssize_t put = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) {
      bytes.remove_prefix(static_cast<size_t>(put));
    } else if (errno != EAGAIN && errno != EINTR) {
      return Error::from_errno("writing to the lab machine", errno);
    }
  }
  return {};
}

}  // namespace hap::lab
