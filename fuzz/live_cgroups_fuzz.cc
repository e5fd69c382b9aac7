// The table of mounted file systems, on any bytes.
#include <string>

#include "live/cgroups.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)hap::live::parse_cgroup_mounts(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
