// The built-in workloads: the rows of `hap list workloads`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hap/result.h"
#include "workload/workload.h"

namespace hap::workload {

struct Entry {
  std::string name;
  std::string summary;
  std::string package;  // Debian package of the service
};

const std::vector<Entry>& catalogue();

// Errors: `usage` for an unknown name; the hint lists what exists.
Result<std::unique_ptr<Workload>> make_workload(const std::string& name);

}  // namespace hap::workload
