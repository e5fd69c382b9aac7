// The network of a guest: its address, and the way back to the sandbox outside where there is no
// virtio-serial port.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/channel.h"
#include "hap/result.h"

namespace hap::agent {

struct GuestAddress {
  std::string device;
  std::string address;  // with prefix length
  std::string gateway;
};

// Gives the device its address and a default route.
Status set_address(const GuestAddress& address);

// Whom to call: the sandbox listens at the guest's gateway.
struct GuestCaller {
  GuestAddress own;
  uint16_t port = 0;
};

// From a kernel command line with `hap.guest=DEVICE,ADDRESS/PREFIX,GATEWAY,PORT`; nothing without it.
std::optional<GuestCaller> parse_guest_caller(const std::string& command_line);
// Of this machine.
std::optional<GuestCaller> guest_caller();

// Sets the guest's address and connects to the sandbox.
Result<Channel> call_sandbox(const GuestCaller& caller);

}  // namespace hap::agent
