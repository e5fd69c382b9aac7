// Giving up what is not needed any more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::live {

// Reduces this process's capabilities to those named (as in capabilities(7), "CAP_SYSLOG") that it has. What
// is given up cannot be regained. Errors: a name that is not one.
Status keep_capabilities(const std::vector<std::string>& names);

// Bits of this process's effective capabilities.
Result<uint64_t> effective_capabilities();

}  // namespace hap::live
