// A recording beside one of the idle machine: which of its functions would have been seen anyway?
#pragma once

#include <string>
#include <vector>

#include "hap/report.h"
#include "hap/result.h"

namespace hap::report {

// The HAP's functions by their windows in both recordings. On the idle side everything counts that the host's
// kernel did, for whomever and in whatever context, except for hap's own load generator. Errors (usage): the
// kernels differ, or `idle` is no recording of the idle machine.
Result<BaselineReport> compare_with_idle(const Profile& working, const Profile& idle,
                                         const std::string& idle_path);

std::vector<std::string> sentences(const BaselineReport& baseline);

}  // namespace hap::report
