// The seccomp filters a running process has, as the kernel holds them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::sandbox {

// The BPF programs (struct sock_filter[]) of all filters of the task, the one installed last first; empty
// when it has none. Stops the task for a moment. Errors: somebody else traces the task, or the kernel was
// built without CONFIG_CHECKPOINT_RESTORE.
Result<std::vector<std::string>> seccomp_filters(pid_t task);

}  // namespace hap::sandbox
