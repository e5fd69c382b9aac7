// What an unseen function weighs: unseen code resembles rare code more than common code.
#pragma once

#include <cstdint>
#include <functional>

#include "hap/metric.h"

namespace hap {

// Mean of `weight` over the selection's functions that were seen in at most two windows, or over all of its
// functions when none is that rare. Functions of unknown weight are left out; null when none is known.
std::optional<double> mean_of_rare_functions(const MetricInput& input,
                                             const std::function<std::optional<double>(uint32_t)>& weight);

// `value` with bounds: unseen functions weigh as rare ones do.
Measurement with_unseen_functions(const MetricInput& input, double value, uint64_t unknown,
                                  const std::function<std::optional<double>(uint32_t)>& weight);

// The sum of `weight` over the functions hit, with such bounds. Null when code ran and no weight is known.
Measurement sum_over_functions(const MetricInput& input,
                               const std::function<std::optional<double>(uint32_t)>& weight);

}  // namespace hap
