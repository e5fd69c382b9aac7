// Function names that a live recording brought along, for kernels of which there is no index here.
#pragma once

#include <string>

#include "hap/recording.h"
#include "hap/result.h"

namespace hap::store {

// Makes an index of names in the cache for each image of the recording that has names (meta key "symbols",
// docs/recording-format.md) and no index with lines. Errors: `corrupt`: the names are not in their form; the
// cache cannot be written.
Status provide_recorded_names(const Recording& recording, const std::string& cache);

}  // namespace hap::store
