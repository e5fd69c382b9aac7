// SPDX-License-Identifier: GPL-2.0-or-later
//
// Xen beneath the measured kernel: which domain runs.
//
// Domains are followed by Xen's own context switch. Of its structures only this much is assumed: that a vcpu
// points to its domain (where, is found at the first switch to dom0, whose address Xen has in a variable),
// and that both begin with their numbers.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "guest_access.h"
#include "hook_table.h"
#include "tasks.h"
#include "xen_context.h"

namespace hap_plugin {

class XenDomains {
 public:
  XenDomains(const HookTable& hooks, GuestAccess& guest, Tasks& tasks);

  // Whether the hooks file speaks of Xen at all.
  bool present() const { return hardware_domain_ != 0; }
  // Xen's part of the address space (asm/config.h), in which no domain can execute.
  bool owns(uint64_t address) const { return present() && address - reserved_begin < reserved_size; }

  // Who runs: null for dom0, whose kernel tells which of its tasks. Otherwise a task state that stands for
  // the vcpu of another domain, or for Xen's idle one.
  TaskState* running() const { return running_; }
  bool guest_runs() const { return guest_runs_; }

  // Xen chose this vcpu.
  void switches_to(uint64_t vcpu);

  XenContext& context() { return context_; }
  const XenContext& context() const { return context_; }

  struct Counts {
    uint64_t switches = 0, guest_switches = 0, domains_unknown = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  static constexpr uint64_t reserved_begin = 0xffff800000000000;
  static constexpr uint64_t reserved_size = 0x0000080000000000;

  void find_domain_member(uint64_t vcpu);

  GuestAccess& guest_;
  Tasks& tasks_;
  XenContext context_;
  uint64_t hardware_domain_;    // address of Xen's variable that points to dom0
  uint64_t domain_offset_ = 0;  // of the member `domain` in struct vcpu; 0: not yet found
  TaskState* running_ = nullptr;
  bool guest_runs_ = false;
  std::unordered_map<uint64_t, TaskState> vcpus_;  // by domain and vcpu number
  Counts counts_;
};

}  // namespace hap_plugin
