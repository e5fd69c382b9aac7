// What a nested virtual machine boots: the machine's own kernel, an initramfs with hap-agent and the drivers
// of its few devices, and the machine's own read-only root disk.
#pragma once

#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::sandbox {

struct GuestImage {
  std::string kernel;
  std::string initramfs;
  std::string root_disk;     // block device or file with the ext4 root
  std::string modules_disk;  // the same for /usr/lib/modules
};

// Where the lab machine keeps its own agent.
inline constexpr const char* agent_path = "/run/hap/hap-agent";

// Writes the initramfs into `folder`. `modules` names the drivers the guest needs. Errors: `unsupported`
// outside the lab machine, whose layout this relies on.
Result<GuestImage> make_guest_image(const std::string& folder, const std::vector<std::string>& modules);

}  // namespace hap::sandbox
