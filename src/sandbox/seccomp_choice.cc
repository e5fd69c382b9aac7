#include "sandbox/seccomp_choice.h"

#include "base/file.h"
#include "sandbox/command.h"
#include "sandbox/rootfs.h"
#include "sandbox/seccomp_profile.h"

namespace hap::sandbox {

Result<SeccompChoice> choose_seccomp(const std::string& given, const std::string& origin,
                                     std::map<std::string, std::string>& facts) {
  SeccompChoice choice{given, default_seccomp_path};
  if (given.empty()) {
    auto text = read_file(default_seccomp_path);
    if (!text) {
      return Error(text.error())
          .context("reading the runtime's default seccomp profile")
          .of_kind(ErrorKind::unsupported);
    }
    choice.text = std::move(*text);
  } else {
    HAP_TRY(folder, fresh_state("seccomp"));
    choice.path = folder + "/profile.json";
    HAP_CHECK(write_file_atomic(choice.path, given));
  }
  facts["seccomp_profile"] = given.empty() ? default_seccomp_path : origin.empty() ? "given" : origin;
  facts["seccomp_profile_sha256"] = sha256_of_file(choice.path);
  return choice;
}

}  // namespace hap::sandbox
