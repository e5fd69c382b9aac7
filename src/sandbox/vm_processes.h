// Virtual machines that an OCI runtime started (Kata and its like): found by what they hold, not by where
// they are. Their VMM may live outside the container's cgroup, and whoever looks only there sees an idle
// container.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

#include "hap/recording.h"

namespace hap::sandbox {

struct VirtualMachine {
  pid_t pid = 0;             // thread group of its monitor
  std::string comm;          // as the kernel shows it
  std::vector<pid_t> vcpus;  // threads that run the guest
};

// Thread groups of the machine, as of now. `proc` is where procfs is mounted.
std::set<pid_t> all_processes(const std::string& proc = "/proc");

// Those of `candidates` that hold a KVM virtual machine. A thread is a vCPU when its name says so (QEMU:
// "CPU 0/KVM", Firecracker: "fc_vcpu 0", Cloud Hypervisor: "vcpu0") or when it is in KVM's vCPU ioctl now.
std::vector<VirtualMachine> virtual_machines(const std::set<pid_t>& candidates,
                                             const std::string& proc = "/proc");

// Their roles: the monitor with its descendants is the sandbox, each vCPU thread a vcpu.
std::vector<ScopeRule> scope_of(const std::vector<VirtualMachine>& machines);

}  // namespace hap::sandbox
