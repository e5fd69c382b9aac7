// The cell's network: a bridge in the machine's own network namespace, on which the load generator sits, and
// one port on it for the sandbox (a veth into a named network namespace, or a tap).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "hap/recording.h"
#include "hap/result.h"

namespace hap::sandbox {

inline constexpr const char* bridge_name = "hap0";
inline constexpr const char* bridge_address = "10.77.0.1";
inline constexpr const char* sandbox_address = "10.77.0.2";
inline constexpr int prefix_length = 24;

// Makes the bridge unless it is there.
Status ensure_bridge();

// "ifname@netns-inode" of a device in the caller's network namespace.
Result<std::string> netdev_key(const std::string& device);
// The same for the network namespace behind the path `netns`.
Result<std::string> netdev_key_in(const std::string& device, const std::string& netns);

// Waits until no IPv6 address of the device is tentative in the network namespace of this process: duplicate
// address detection takes up to two seconds after a link came up, and is part of setting a sandbox up, not of
// what it serves. Returns at once where there is no IPv6.
Status await_address_check(const std::string& device, pid_t process);

// A veth pair: `hapv0` on the bridge, `eth0` with sandbox_address in the network namespace `hap-cell`. IPv6
// is off inside, as Docker has it on its default bridge. Removed on destruction.
class VethPort {
 public:
  static Result<VethPort> create();
  VethPort(VethPort&& other) noexcept;
  VethPort& operator=(VethPort&&) = delete;
  ~VethPort();
  // Path of the namespace, for an OCI configuration.
  std::string netns_path() const;
  std::vector<ScopeRule> scope() const { return scope_; }

 private:
  VethPort() = default;
  bool owned_ = true;
  std::vector<ScopeRule> scope_;
};

// A tap device `hapt0` on the bridge. Removed on destruction.
class TapPort {
 public:
  static Result<TapPort> create();
  TapPort(TapPort&& other) noexcept;
  TapPort& operator=(TapPort&&) = delete;
  ~TapPort();
  std::string device() const;
  std::vector<ScopeRule> scope() const { return scope_; }

 private:
  TapPort() = default;
  bool owned_ = true;
  std::vector<ScopeRule> scope_;
};

}  // namespace hap::sandbox
