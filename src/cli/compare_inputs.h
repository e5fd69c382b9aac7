// What `hap compare` was given, as summaries: reports as they are, recordings analysed once and kept.
#pragma once

#include <string>
#include <vector>

#include "cli/analysis.h"
#include "hap/compare.h"

namespace hap::cli {

// The files that arguments stand for: files as they are, folders with every *.hap below them or, where there
// is none, every *.json directly in them; sorted within each folder. Errors (usage): nothing there.
Result<std::vector<std::string>> find_compare_inputs(const std::vector<std::string>& arguments);

enum class SummarySource {
  any,       // one that was kept or came with the recording, when it still holds
  analysis,  // the recording itself, whatever else there is
};

// Of recordings (*.hap) and reports (anything else), in their order. What an analysis finds is kept in the
// user's cache, keyed by the recording's identity and the tool's version, as long as every kernel image has
// its symbols. Errors: the first in the order of the files.
Result<std::vector<ReportSummary>> load_summaries(const std::vector<std::string>& paths,
                                                  const AnalysisOptions& options, SummarySource source);

}  // namespace hap::cli
