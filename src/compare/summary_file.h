// A ReportSummary as bytes: what `hap compare` keeps of a recording so that it need not be analysed again.
//
// Little-endian: magic "HAPSUM01", then the members in the order of their declaration. Text is a 32-bit
// length and its bytes; numbers are IEEE doubles; lists a 32-bit count and their entries; optional members a
// byte (0 or 1) before them. Paths of functions are kept once, in a list, and referred to by number.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hap/compare.h"

namespace hap::compare {

std::string encode_summary(const ReportSummary& summary);

// A summary with what tells whether it may stand for an analysis.
struct KeptSummary {
  std::string made_by;  // version of the analysis
  // Build ids of kernel images of which only names of functions were known: with their lines, were they here,
  // the figures would be others.
  std::vector<std::string> without_lines;
  ReportSummary summary;  // without its path
};

// "HAPKEPT1", `made_by`, `without_lines` as a list, the summary.
std::string encode_kept(const KeptSummary& kept);
// Errors: as decode_summary.
Result<KeptSummary> decode_kept(std::string_view bytes, const std::string& path);

// Errors (corrupt): anything that encode_summary() would not have written. `path` is for messages only.
Result<ReportSummary> decode_summary(std::string_view bytes, const std::string& path);

}  // namespace hap::compare
