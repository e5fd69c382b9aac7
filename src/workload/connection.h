// A blocking TCP connection with a time limit on every operation. IPv4 addresses only: names would need the
// resolver, which a static program does not have.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "hap/result.h"
#include "workload/workload.h"

namespace hap::workload {

class Connection {
 public:
  static Result<Connection> open(const Endpoint& endpoint, std::chrono::milliseconds timeout);

  // A stream socket that is connected already.
  static Connection adopt(UniqueFd socket) { return Connection(std::move(socket)); }

  Status send(std::string_view bytes);
  // Up to and with the first "\r\n", which is not returned.
  Result<std::string> read_line();
  Result<std::string> read_exactly(size_t count);
  // Until the peer closes; more than `limit` bytes is an error.
  Result<std::string> read_to_end(size_t limit = size_t{16} << 20);

 private:
  explicit Connection(UniqueFd fd) : fd_(std::move(fd)) {}
  // Appends what arrives to pending_; false at the end of the stream.
  Result<bool> fill();

  UniqueFd fd_;
  std::string pending_;
};

}  // namespace hap::workload
