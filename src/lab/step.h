// Long-running programs of a build: their output goes to a log, a signal stops them.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/subprocess.h"
#include "hap/result.h"

namespace hap::lab {

// Options that start `argv` and leave the rest as it is by default.
SpawnOptions command(std::vector<std::string> argv);

// Runs to the end with both outputs in the file `log`. A failure carries the log's last lines, and says when
// the disk is full. On cancellation the process group is killed.
Status run_step(SpawnOptions options, const std::string& log, const CancelToken& cancel);

}  // namespace hap::lab
