// SPDX-License-Identifier: GPL-2.0-or-later
//
// Names the device a packet is on ("eth0@4026531840": interface and network namespace) and the cgroup of the
// socket that receives it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "guest_access.h"
#include "hook_table.h"
#include "tasks.h"

namespace hap_plugin {

class PacketOwners {
 public:
  PacketOwners(const HookTable& hooks, GuestAccess& guest, Tasks& tasks);

  // Empty when there is no such device (yet).
  const std::string& device_of_packet(uint64_t skb);
  const std::string& device_of_poll(uint64_t napi);
  const std::string& device_name(uint64_t device);
  const std::string& cgroup_of_socket(uint64_t sock);

  // Devices and cgroups come, go and are renamed: what is known of them is asked again in every window.
  void new_window() {
    devices_.clear();
    cgroups_.clear();
  }

 private:
  GuestAccess& guest_;
  Tasks& tasks_;
  std::unordered_map<uint64_t, std::string> devices_;  // by address
  std::unordered_map<uint64_t, std::string> cgroups_;
  uint64_t skb_dev_, napi_dev_, dev_name_, dev_net_, net_inum_, sock_cgroup_;
};

}  // namespace hap_plugin
