// A user's workload from a TOML file (docs/workloads.md). Host side only: the lab machine gets the JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "hap/result.h"

namespace hap::workload {

// True for what is a file's name rather than a built-in workload's: it ends in .toml or has a slash.
bool names_workload_file(const std::string& argument);

// Reads and checks the file. A relative `root_archive` is relative to the file's folder and comes out
// absolute. Errors: `usage` with line and column for bad TOML, or naming the member for a bad description.
Result<nlohmann::json> read_workload_file(const std::string& path);

}  // namespace hap::workload
