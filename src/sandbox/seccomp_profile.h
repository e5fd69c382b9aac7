// From a runtime's seccomp profile to the one an OCI configuration carries.
//
// The profiles that Docker and Podman ship (here: /usr/share/containers/seccomp.json) state rules that depend
// on the container: `includes` and `excludes` by capability, architecture and kernel. An OCI runtime takes
// only resolved rules (`linux.seccomp`). This is that resolution, as github.com/containers/common/pkg/seccomp
// and Docker's profiles/seccomp do it. A profile that is in OCI form already passes through.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap::sandbox {

// Where Debian's package golang-github-containers-common installs the default profile.
inline constexpr const char* default_seccomp_path = "/usr/share/containers/seccomp.json";

struct SeccompTarget {
  std::string architecture = "amd64";  // Go's name, as in `includes.arches`
  std::set<std::string> capabilities;  // CAP_..., the container's bounding set
  int kernel_major = 0;                // of the running kernel, for `includes.minKernel`
  int kernel_minor = 0;
};

// Errors: `corrupt` when the text is no seccomp profile.
Result<nlohmann::json> resolve_seccomp(std::string_view profile, const SeccompTarget& target);

}  // namespace hap::sandbox
