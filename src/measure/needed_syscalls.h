// Which system calls a container's seccomp filter has to let through: what its service was seen to make, and
// what stands between the installation of the filter and the service.
//
// A container's first process is the runtime's own until it executes the service. It installs the filter a
// while before that, so the filter must also permit what the runtime does from there to its execve(2). A
// recording counts system calls by task, not in their order; which of the runtime's calls come after the
// filter is therefore known from the runtimes themselves (`runtime_syscalls`), and the runtime's many other
// calls (mount, pivot_root, setns, ...) stay out of the profile.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "hap/recording.h"
#include "hap/result.h"

namespace hap::measure {

struct NeededSyscalls {
  // Made by the service itself, in any phase: number -> names of the tasks that made it.
  std::map<uint32_t, std::set<std::string>> service;
  // Made by the runtime in the container's processes before the service took over; for the report only.
  std::set<uint32_t> runtime_setup;
  // Made by the service, but refused by the filter it was recorded under: it lived without them. Permitting
  // one may do harm: who is let to set up an io_uring wants to use it, too.
  std::set<uint32_t> refused;
  // Numbers that the table of names does not know; they cannot stand in a profile.
  std::set<uint32_t> unnamed;

  void merge(const NeededSyscalls& other);
};

// Of one recording, all phases. Errors: `usage` when the tenant makes no system calls of this machine (its
// code runs behind a Sentry or in a virtual machine, so a profile would be the VMM's and not the tenant's),
// or when the recording does not count system calls; `corrupt` when it holds a filter the kernel would have
// refused.
Result<NeededSyscalls> needed_syscalls(const RecordingHeader& header);

// What runc and crun do between the installation of the filter and the execution of the service, and at its
// end, whatever the service: found with a filter that logs everything (SECCOMP_RET_LOG), runc 1.1 and crun
// 1.21, plus the calls of the Go runtime that depend on its threads' timing.
std::span<const std::string_view> runtime_syscalls();

// Calls that the kernel or the C library makes on a program's account without its asking: returning from a
// signal, restarting, ending.
std::span<const std::string_view> unasked_syscalls();

}  // namespace hap::measure
