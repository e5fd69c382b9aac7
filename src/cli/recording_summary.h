// What `hap compare` takes of a recording: made by analysing it, kept by whoever did that first.
//
// `hap measure` and `hap record` attach the summary to the recording they made, so that comparing does not
// analyse it again. What is attached is used when the same version of the analysis made it, and when it would
// not come out better here (symbols). It is the word of whoever wrote the file, as the hits are:
// `hap compare --fresh` takes no such word.
#pragma once

#include <string>

#include "cli/analysis.h"
#include "compare/summary_file.h"

namespace hap::cli {

// The version of the analysis, as summaries carry it.
std::string analysis_version();

struct AnalysedSummary {
  compare::KeptSummary kept;
  bool symbols_complete = false;  // every kernel image had its index: nothing that may come later is missing
};

// Analyses the recording. Errors: as open_trusted_cell.
Result<AnalysedSummary> analyse_for_summary(const std::string& path, const AnalysisOptions& options);

// Whether an analysis here and now would give the same.
bool still_holds(const compare::KeptSummary& kept, const std::string& cache);

// Analyses a recording and attaches the summary to it. Nothing is attached when the measurement failed its
// checks or symbols are missing. Errors: the recording cannot be read, or not be written.
Status attach_summary(const std::string& path);

}  // namespace hap::cli
