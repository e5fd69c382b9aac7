// Measures one cell in the lab machine: start from the checkpoint, run sandbox and workload under the
// emulator collector, and leave one recording.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/cancel.h"
#include "base/progress.h"
#include "cli/serve_length.h"
#include "hap/result.h"
#include "lab/lab.h"

namespace hap::cli {

struct CellRequest {
  lab::LabSpec machine;
  std::string sandbox;
  nlohmann::json workload;  // a built-in's name, or the object that a user's TOML file describes
  std::string workload_name;
  std::string profile = "published";
  nlohmann::json options = nlohmann::json::object();  // of the agent's run_cell operation
  ServeLength length;
  int boot = 1;
  int repeat = 1;
  std::string label;    // tells variants of a cell apart in comparisons; may be empty
  std::string output;   // the recording
  std::string command;  // how hap was called, for the recording
};

struct CellOutcome {
  uint64_t requests = 0;
  double ready_seconds = 0;  // from the restored checkpoint to the first verified reply
  double total_seconds = 0;  // of wall time, everything included
};

// Errors: `unsupported` when the lab is not built or the sandbox cannot be had here; `sandbox` and `workload`
// as the cell reports them; `corrupt` when the collector's stream is unusable. On an error no recording is
// left.
Result<CellOutcome> measure_cell(const CellRequest& request, Progress& progress, const CancelToken& cancel);

}  // namespace hap::cli
