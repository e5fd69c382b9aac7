// hap-agent in a guest of a virtual machine, as the sandbox outside talks to it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/unique_fd.h"
#include "hap/result.h"
#include "lab/guest_link.h"
#include "sandbox/sandbox.h"

namespace hap::sandbox {

class GuestAgent {
 public:
  // `peer_pidfd` (not owned) becomes readable when the machine has ended; -1: none.
  GuestAgent(UniqueFd socket, int peer_pidfd) : link_(lab::PeerSocket(std::move(socket), peer_pidfd)) {}

  // Until the guest has booted. `last_words`: what is known about one that has not.
  Status wait_until_ready(std::chrono::milliseconds limit, const std::function<std::string()>& last_words);
  // Starts the service in the guest. `device`: the guest's network device, which gets the sandbox's address
  // first; empty: it has one.
  Status start_service(const Service& service, const std::string& device);
  Result<std::vector<GuestMapping>> executable_mappings();
  // An orderly end: the service first, then the machine. Failures show in the machine not ending.
  void shut_down();

 private:
  lab::GuestLink link_;
  CancelToken cancel_;
};

}  // namespace hap::sandbox
