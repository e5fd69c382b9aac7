#include "workload/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

namespace hap::workload {
namespace {

constexpr size_t line_limit = 1 << 16;

Error broken(const std::string& what, int err) {
  // A time limit on a socket shows as EAGAIN.
  if (err == EAGAIN || err == EWOULDBLOCK) return Error(what + ": no answer in time", ErrorKind::workload);
  return Error::from_errno(what, err).of_kind(ErrorKind::workload);
}

// Non-blocking connect and poll: SO_SNDTIMEO would do, but a refused connection must be told from a slow one.
Status connect_within(int fd, const sockaddr_in& address, std::chrono::milliseconds timeout) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINPROGRESS) return broken("connecting to the service", errno);
    pollfd waiter{fd, POLLOUT, 0};
    const int ready = ::poll(&waiter, 1, static_cast<int>(timeout.count()));
    if (ready < 0) return broken("connecting to the service", errno);
    if (ready == 0) return broken("connecting to the service", EAGAIN);
    int err = 0;
    socklen_t size = sizeof err;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
    if (err != 0) return broken("connecting to the service", err);
  }
  ::fcntl(fd, F_SETFL, 0);
  return {};
}

}  // namespace

Result<Connection> Connection::open(const Endpoint& endpoint, std::chrono::milliseconds timeout) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (::inet_pton(AF_INET, endpoint.address.c_str(), &address.sin_addr) != 1) {
    return Error("not an IPv4 address: " + endpoint.address, ErrorKind::usage);
  }
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error::from_errno("cannot make a socket", errno);
  HAP_CHECK(connect_within(fd.get(), address, timeout));
  timeval limit{};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_usec = timeout.count() % 1000 * 1000;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Connection(std::move(fd));
}

Status Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return broken("sending a request", errno);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<bool> Connection::fill() {
  char buffer[16384];
  for (;;) {
    const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return broken("reading a reply", errno);
    pending_.append(buffer, static_cast<size_t>(count));
    return count > 0;
  }
}

Result<std::string> Connection::read_line() {
  for (;;) {
    if (const size_t end = pending_.find("\r\n"); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 2);
      return line;
    }
    if (pending_.size() > line_limit)
      return Error("the service sends a line without end", ErrorKind::workload);
    HAP_TRY(more, fill());
    if (!more) return Error("the service closed the connection instead of replying", ErrorKind::workload);
  }
}

Result<std::string> Connection::read_exactly(size_t count) {
  while (pending_.size() < count) {
    HAP_TRY(more, fill());
    if (!more) return Error("the service closed the connection within a reply", ErrorKind::workload);
  }
  std::string bytes = pending_.substr(0, count);
  pending_.erase(0, count);
  return bytes;
}

Result<std::string> Connection::read_to_end(size_t limit) {
  for (;;) {
    if (pending_.size() > limit) return Error("the service's reply is too long", ErrorKind::workload);
    HAP_TRY(more, fill());
    if (!more) break;
  }
  return std::exchange(pending_, std::string());
}

}  // namespace hap::workload
