// The HTML page of a comparison: the comparison and the reports it was made from.
#pragma once

#include <string>
#include <vector>

#include "cli/analysis.h"
#include "cli/commands.h"
#include "hap/compare.h"

namespace hap::cli {

// `files`: recordings (*.hap) or reports (JSON), as find_compare_inputs() gives them. Those of other
// workloads than the comparison's are left out.
Result<std::string> compare_page(const std::vector<std::string>& files, const Comparison& comparison,
                                 const AnalysisOptions& options, const Session& session);

}  // namespace hap::cli
