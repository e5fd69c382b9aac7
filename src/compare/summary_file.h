// A ReportSummary as bytes: what `hap compare` keeps of a recording so that it need not be analysed again.
//
// Little-endian: magic "HAPSUM01", then the members in the order of their declaration. Text is a 32-bit
// length and its bytes; numbers are IEEE doubles; lists a 32-bit count and their entries; optional members a
// byte (0 or 1) before them. Paths of functions are kept once, in a list, and referred to by number.
#pragma once

#include <string>
#include <string_view>

#include "hap/compare.h"

namespace hap::compare {

std::string encode_summary(const ReportSummary& summary);

// Errors (corrupt): anything that encode_summary() would not have written. `path` is for messages only.
Result<ReportSummary> decode_summary(std::string_view bytes, const std::string& path);

}  // namespace hap::compare
