// A seccomp profile, on any bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sandbox/oci_spec.h"
#include "sandbox/seccomp_profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hap::sandbox::SeccompTarget target;
  target.capabilities = {hap::sandbox::docker_capabilities().begin(),
                         hap::sandbox::docker_capabilities().end()};
  target.kernel_major = 6;
  (void)hap::sandbox::resolve_seccomp({reinterpret_cast<const char*>(data), size}, target);
  return 0;
}
