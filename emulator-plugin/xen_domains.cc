// SPDX-License-Identifier: GPL-2.0-or-later
#include "xen_domains.h"

#include <cstring>

namespace hap_plugin {
namespace {

// Domain numbers from here on are Xen's own (public/xen.h); the idle domain's is among them.
constexpr uint16_t first_reserved_domain = 0x7ff0;
constexpr size_t searched_bytes = 512;

}  // namespace

XenDomains::XenDomains(const HookTable& hooks, GuestAccess& guest, Tasks& tasks)
    : guest_(guest), tasks_(tasks), hardware_domain_(hooks.value("xen_hardware_domain")) {}

void XenDomains::find_domain_member(uint64_t vcpu) {
  const auto dom0 = guest_.read_u64(hardware_domain_);
  const uint8_t* bytes = guest_.read_bytes(vcpu, searched_bytes);
  if (!dom0 || *dom0 == 0 || bytes == nullptr) return;
  for (size_t at = 8; at < searched_bytes; at += 8) {
    if (std::memcmp(bytes + at, &*dom0, sizeof(*dom0)) != 0) continue;
    domain_offset_ = at;
    return;
  }
}

void XenDomains::switches_to(uint64_t vcpu) {
  ++counts_.switches;
  context_.stack_restarts();
  running_ = nullptr;
  guest_runs_ = false;
  // Until dom0's vcpu is met there are only dom0 and the idle domain: guests come later.
  uint16_t domain = first_reserved_domain;
  uint32_t number = 0;
  if (domain_offset_ == 0) find_domain_member(vcpu);
  if (domain_offset_ != 0) {
    const auto address = guest_.read_u64(vcpu + domain_offset_);
    const auto id = address ? guest_.read_u16(*address) : std::nullopt;
    if (!id) ++counts_.domains_unknown;
    domain = id.value_or(first_reserved_domain);
    number = guest_.read_u32(vcpu).value_or(0);
  }
  if (domain == 0) return;
  guest_runs_ = domain < first_reserved_domain;
  if (guest_runs_) ++counts_.guest_switches;
  const auto [entry, added] = vcpus_.try_emplace(uint64_t{domain} << 32 | number);
  if (added) tasks_.define_vcpu(entry->second, domain, number, guest_runs_);
  running_ = &entry->second;
}

}  // namespace hap_plugin
