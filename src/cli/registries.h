// Everything that has a name on the command line, gathered from the stages that define it.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace hap::cli {

struct RegistryRow {
  std::string name;
  std::string summary;
  std::map<std::string, std::string> more;  // further facts, for JSON
};

// "sandboxes", "workloads", "collectors", "metrics", "formats".
std::vector<std::string> registry_names();
std::vector<RegistryRow> registry(const std::string& name);

}  // namespace hap::cli
