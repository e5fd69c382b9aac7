// What the rankings of one workload say together, and in words.
#pragma once

#include <string>
#include <vector>

#include "hap/compare.h"

namespace hap::compare {

std::vector<Agreement> agreement_of(const std::vector<Ranking>& rankings);

// One verdict per pair of sandboxes. `confidence`: see CompareOptions.
std::vector<PairVerdict> judge_pairs(const std::vector<std::string>& sandboxes,
                                     const std::vector<Ranking>& rankings, double confidence);

// Plain sentences on one workload.
std::vector<std::string> conclude(const WorkloadComparison& workload);
// And over several: what holds in all of them, and what turns round.
std::vector<std::string> conclude_across(const std::vector<WorkloadComparison>& workloads);

}  // namespace hap::compare
