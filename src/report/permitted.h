// What the sandbox is permitted to reach: by its seccomp filters, as the kernel had them loaded, by a guest's
// exits and by hypercalls.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hap/report.h"
#include "hap/resolver.h"
#include "measure/seccomp_filter.h"

namespace hap::report {

// System calls of the measured kernel that at least one process of the sandbox may make, whatever its
// arguments would have to be, and the kernel functions that direct calls of the machine code reach from their
// entries: a lower bound, since calls through pointers are not followed. A process without any filter may
// make every system call. For virtual machines also what lies behind their exits and KVM's ioctls, for guests
// of Xen what lies behind their hypercalls. Null when nothing of it is known; each part is null when it does
// not apply, a filter cannot be evaluated, or symbols are missing.
std::optional<Permitted> permitted_surface(const Profile& profile, const Resolver& resolver);

// The host kernel of a recording and its loaded modules, as far as their symbols are there.
class KernelReach {
 public:
  KernelReach(const Profile& profile, const Resolver& resolver);

  // False without the kernel's symbols; then everything below is empty.
  bool known() const { return !images_.empty(); }
  // Numbers of the system calls this kernel implements.
  std::set<uint32_t> syscalls() const;
  // Everything that direct calls reach from the entries of these system calls, entries included.
  std::vector<ImageFunction> functions_behind(const std::set<uint32_t>& numbers) const;
  // Functions by which a guest's exits enter KVM, by the names the kernel gives them: *_interception of
  // kvm_amd, handle_* of kvm_intel, kvm_emulate_* of kvm.
  std::vector<ImageFunction> exit_handlers() const;
  // The entries of KVM's ioctls: on /dev/kvm, a virtual machine, a vCPU and an in-kernel device.
  std::vector<ImageFunction> ioctl_entries() const;
  // As functions_behind, from any entries.
  std::vector<ImageFunction> functions_behind(const std::vector<ImageFunction>& entries) const;
  // How many of these functions belong to each subsystem, two levels of the source tree deep.
  std::map<std::string, uint64_t> by_subsystem(const std::vector<ImageFunction>& functions) const;

 private:
  std::vector<ImageFunction> named(
      const std::function<bool(std::string_view image, std::string_view function)>& wanted) const;
  std::vector<const Index*> images_;  // the kernel first
};

// For each system call of `numbers` the most lenient answer any process of the sandbox gets from all its
// filters together; nothing when the recording holds no filters. Errors (corrupt): a filter the kernel would
// have refused.
Result<std::optional<std::map<uint32_t, measure::Permission>>> filter_answers(
    const RecordingHeader& header, const std::set<uint32_t>& numbers);

}  // namespace hap::report
