// A user's own workload, as data: what a TOML file says, and what travels into the lab machine.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hap/result.h"
#include "workload/workload.h"

namespace hap::workload {

struct Description {
  sandbox::Service service;
  // The load is either GETs of `http_path` or runs of `load_command`, in which {address}, {port} and {n} (the
  // number of the request) are filled in. A run counts as served when it exits with 0.
  std::string http_path;
  std::vector<std::string> load_command;
  std::string expect;  // must be in the page, or in what the command prints
  // An OCI image archive or a tar of a root file system, which the service runs in; empty: the lab machine's
  // own.
  std::string root_archive;
};

// Errors: `usage`, naming the member that is missing or wrong; unknown members are errors too, so that a
// misspelt one is not silently ignored.
Result<Description> parse_description(const nlohmann::json& object);

std::unique_ptr<Workload> make_described(const Description& description);

}  // namespace hap::workload
