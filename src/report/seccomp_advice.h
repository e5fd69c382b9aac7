// A seccomp profile made to measure for a workload, and what it takes away.
//
//   needed system calls of one or several recordings -> names -> OCI profile (JSON)
//                                                    -> compared with the filter of the recording
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hap/result.h"
#include "measure/needed_syscalls.h"
#include "report/permitted.h"

namespace hap::report {

// System calls a tenant may make, and the kernel code behind them.
struct SyscallSurface {
  std::set<std::string> syscalls;
  std::optional<uint64_t> functions;  // statically reachable, a lower bound; null without kernel symbols
};

struct SeccompAdvice {
  std::vector<std::string> recordings;
  std::map<std::string, std::set<std::string>> service;  // name -> tasks that were seen to make it
  std::set<std::string> runtime;                         // only needed between filter and service
  std::set<std::string> unasked;                         // made on any program's account
  std::set<std::string> added;                           // asked for by the user, not seen
  std::set<std::string> refused;                         // asked for in vain: not in the profile
  std::set<uint32_t> unnamed;                            // seen, but without a name: not in the profile

  // What the profile is compared with: the filter that the first recording of a container ran under, or,
  // where none had one, all system calls.
  std::string against;
  SyscallSurface before;
  SyscallSurface after;
  std::set<std::string> removed;    // in `before`, not in the profile
  std::set<std::string> forbidden;  // in the profile, though the filter compared with denies them
  std::set<std::string> widened;    // permitted whatever the arguments; the filter restricts them
  std::map<std::string, uint64_t> removed_functions;  // by subsystem

  // All names of the profile.
  std::set<std::string> names() const;
};

// Starts from what was needed; `extra` are names that the user wants permitted beside it. Errors (usage): an
// extra name that the architecture does not have.
Result<SeccompAdvice> advise_seccomp(const measure::NeededSyscalls& needed,
                                     const std::vector<std::string>& extra);

// Fills in the comparison. `header` is the recording whose filter the profile is compared with. Errors
// (corrupt): its filter cannot be evaluated.
Status compare_with_filter(SeccompAdvice& advice, const RecordingHeader& header, const KernelReach& kernel);

// The profile as an OCI runtime takes it in `linux.seccomp` and podman and Docker take it from
// `--security-opt seccomp=FILE`: no conditions on arguments, everything else fails with ENOSYS, as on a
// kernel without that system call, so that C libraries fall back. `audit`: everything else is executed and
// logged.
std::string render_profile(const std::set<std::string>& names, bool audit);

// What `hap seccomp` says about it. JSON has the schema "hapmeter.seccomp/1".
std::string render_text(const SeccompAdvice& advice);
std::string render_json(const SeccompAdvice& advice);

}  // namespace hap::report
