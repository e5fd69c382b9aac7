// QEMU's control protocol: commands and their answers. Events are skipped.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "base/cancel.h"
#include "hap/result.h"
#include "lab/peer_socket.h"

namespace hap::lab {

class Qmp {
 public:
  explicit Qmp(PeerSocket socket) : socket_(std::move(socket)) {}

  // Waits for QEMU's greeting and leaves the negotiation mode.
  Status greet(const CancelToken& cancel);
  // The time limit is generous: while a state comes in, QEMU answers late, the more so on a busy host.
  Result<nlohmann::json> execute(const std::string& command, const nlohmann::json& arguments,
                                 const CancelToken& cancel,
                                 std::chrono::milliseconds timeout = std::chrono::seconds(180));

 private:
  Result<nlohmann::json> next_line(Deadline deadline, const CancelToken& cancel);
  PeerSocket socket_;
  std::string pending_;
};

}  // namespace hap::lab
