// Times as recordings and reports write them.
#pragma once

#include <string>

namespace hap {

// This moment by UTC: 2026-11-22T22:05:00Z (ISO 8601).
std::string utc_timestamp();

}  // namespace hap
