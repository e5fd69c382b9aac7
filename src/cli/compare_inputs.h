// What `hap compare` was given, as summaries: reports as they are, recordings analysed once and kept.
#pragma once

#include <string>
#include <vector>

#include "base/progress.h"
#include "cli/analysis.h"
#include "hap/compare.h"

namespace hap::cli {

// The files that arguments stand for: files as they are, folders with every *.hap below them or, where there
// is none, every *.json directly in them; sorted within each folder. Errors (usage): nothing there.
Result<std::vector<std::string>> find_compare_inputs(const std::vector<std::string>& arguments);

// A recording (*.hap) or a report (anything else). The summary of a recording is kept in the user's cache,
// keyed by the recording's identity and the tool's version, as long as every kernel image has its symbols.
Result<ReportSummary> load_summary(const std::string& path, const AnalysisOptions& options);

}  // namespace hap::cli
