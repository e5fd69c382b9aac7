#include "live/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <map>

namespace hap::live {
namespace {

using Sets = std::array<__user_cap_data_struct, 2>;

Status call(long number, Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  if (::syscall(number, &header, sets.data()) == 0) return {};
  return Error::from_errno("cannot look at or change this process's capabilities", errno);
}

uint64_t join(uint32_t low, uint32_t high) {
  return low | static_cast<uint64_t>(high) << 32;
}

// Those that live measurement has a use for.
const std::map<std::string, int>& numbers() {
  static const std::map<std::string, int> known = {{"CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE},
                                                   {"CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH},
                                                   {"CAP_KILL", CAP_KILL},
                                                   {"CAP_SYS_PTRACE", CAP_SYS_PTRACE},
                                                   {"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
                                                   {"CAP_SYS_RESOURCE", CAP_SYS_RESOURCE},
                                                   {"CAP_SYSLOG", CAP_SYSLOG},
                                                   {"CAP_PERFMON", CAP_PERFMON},
                                                   {"CAP_BPF", CAP_BPF}};
  return known;
}

}  // namespace

Result<uint64_t> effective_capabilities() {
  Sets sets{};
  HAP_CHECK(call(SYS_capget, sets));
  return join(sets[0].effective, sets[1].effective);
}

Status keep_capabilities(const std::vector<std::string>& names) {
  uint64_t keep = 0;
  for (const auto& name : names) {
    const auto number = numbers().find(name);
    if (number == numbers().end()) return Error("no such capability").at(name);
    keep |= uint64_t{1} << number->second;
  }
  Sets sets{};
  HAP_CHECK(call(SYS_capget, sets));
  for (size_t i = 0; i < sets.size(); ++i) {
    const auto mask = static_cast<uint32_t>(keep >> (32 * i));
    sets[i].effective &= mask;
    sets[i].permitted &= mask;
    sets[i].inheritable = 0;
  }
  HAP_CHECK(call(SYS_capset, sets));
  // Nor by executing a program with rights of its own.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Error::from_errno("cannot forbid gaining privileges", errno);
  }
  return {};
}

}  // namespace hap::live
