// The profile of the sandbox `docker-seccomp` when the user gives none: what the same workload was measured
// to need in docker-default.
#pragma once

#include <string>

#include "cli/measure_cell.h"

namespace hap::cli {

// What a recording says about where its profile came from.
inline constexpr const char* derived_seccomp_origin = "derived from docker-default";

// The profile (JSON) for the cell `like`. Measures the workload in docker-default, with the cell's load and
// machine, the first time; the answer is kept in the lab's cache, and others who want the same wait for it.
// Errors: as measure_cell.
Result<std::string> derived_seccomp_profile(const CellRequest& like, Progress& progress,
                                            const CancelToken& cancel);

}  // namespace hap::cli
