// Waiting for bytes from QEMU without hanging: a time limit, QEMU's death and the user's interrupt all end
// it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap::lab {

using Deadline = std::chrono::steady_clock::time_point;

// How the message of the Error ends that says so when QEMU is gone.
inline constexpr const char* kMachineEnded = "the lab machine ended";

// One end of a socket pair whose other end QEMU holds.
class PeerSocket {
 public:
  PeerSocket() = default;
  // `peer_pidfd` (not owned, -1 for none) becomes readable when the peer is gone.
  PeerSocket(UniqueFd fd, int peer_pidfd) : fd_(std::move(fd)), peer_pidfd_(peer_pidfd) {}

  // Some bytes, at least one; Error of kind `interrupted` on cancellation.
  Result<std::string> receive(Deadline deadline, const CancelToken& cancel);
  Status send(std::string_view bytes, Deadline deadline, const CancelToken& cancel);

 private:
  // Waits until `events` hold.
  Status wait(short events, Deadline deadline, const CancelToken& cancel);
  UniqueFd fd_;
  int peer_pidfd_ = -1;
};

}  // namespace hap::lab
