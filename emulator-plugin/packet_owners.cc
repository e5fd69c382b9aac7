// SPDX-License-Identifier: GPL-2.0-or-later
#include "packet_owners.h"

#include <cstring>

namespace hap_plugin {
namespace {
constexpr size_t interface_name_size = 16;
}

PacketOwners::PacketOwners(const HookTable& hooks, GuestAccess& guest, Tasks& tasks)
    : guest_(guest),
      tasks_(tasks),
      skb_dev_(hooks.offset("sk_buff.dev")),
      napi_dev_(hooks.offset("napi_struct.dev")),
      dev_name_(hooks.offset("net_device.name")),
      dev_net_(hooks.offset("net_device.nd_net.net")),
      net_inum_(hooks.offset("net.ns.inum")),
      sock_cgroup_(hooks.offset("sock.sk_cgrp_data.cgroup")) {}

const std::string& PacketOwners::device_of_packet(uint64_t skb) {
  return device_name(guest_.read_u64(skb + skb_dev_).value_or(0));
}

const std::string& PacketOwners::device_of_poll(uint64_t napi) {
  // The backlog's poll serves all devices and has none of its own.
  return device_name(guest_.read_u64(napi + napi_dev_).value_or(0));
}

const std::string& PacketOwners::device_name(uint64_t device) {
  const auto [entry, added] = devices_.try_emplace(device);
  std::string& name = entry->second;
  if (!added || device == 0) return name;
  const uint8_t* bytes = guest_.read_bytes(device + dev_name_, interface_name_size);
  if (bytes == nullptr) return name;
  const auto* text = reinterpret_cast<const char*>(bytes);
  name.assign(text, strnlen(text, interface_name_size));
  const uint64_t net = guest_.read_u64(device + dev_net_).value_or(0);
  const uint32_t inode = net == 0 ? 0 : guest_.read_u32(net + net_inum_).value_or(0);
  name += "@" + std::to_string(inode);
  return name;
}

const std::string& PacketOwners::cgroup_of_socket(uint64_t sock) {
  const uint64_t cgroup = sock_cgroup_ == 0 ? 0 : guest_.read_u64(sock + sock_cgroup_).value_or(0);
  const auto [entry, added] = cgroups_.try_emplace(cgroup);
  if (added && cgroup != 0) entry->second = tasks_.cgroup(cgroup).path;
  return entry->second;
}

}  // namespace hap_plugin
