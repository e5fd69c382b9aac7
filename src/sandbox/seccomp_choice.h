// Which seccomp profile a container gets: the machine's default, or one that the user gave.
#pragma once

#include <map>
#include <string>

#include "hap/result.h"

namespace hap::sandbox {

struct SeccompChoice {
  std::string text;
  std::string path;  // a file with it, for engines that take one
};

// `given` is the user's profile, empty for the default; `origin` says where it came from, if known. Adds the
// facts `seccomp_profile` and `seccomp_profile_sha256`. Errors: `unsupported` when the machine has no default
// profile.
Result<SeccompChoice> choose_seccomp(const std::string& given, const std::string& origin,
                                     std::map<std::string, std::string>& facts);

}  // namespace hap::sandbox
