// The initramfs of the lab machine: hap-agent as the first process and the modules it loads.
#pragma once

#include <string>

#include "hap/result.h"
#include "lab/cache.h"

namespace hap::lab {

// The bytes of the archive for this kernel and agent.
Result<std::string> make_initramfs(const CacheEntry& kernel, const std::string& agent_path);

}  // namespace hap::lab
