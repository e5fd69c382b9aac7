// A file in memory that QEMU writes to (console, messages) and that can be read while it does.
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap::lab {

Result<UniqueFd> make_memory_log(const char* name);

// All that was written so far; what cannot be read is empty. Read by position, since the writer shares the
// descriptor and its offset.
std::string memory_log_text(int fd);

}  // namespace hap::lab
