#include "workload/workload_file.h"

#include <toml++/toml.h>

#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "workload/description.h"

namespace hap::workload {

namespace fs = std::filesystem;

bool names_workload_file(const std::string& argument) {
  return argument.find('/') != std::string::npos || fs::path(argument).extension() == ".toml";
}

Result<nlohmann::json> read_workload_file(const std::string& path) {
  HAP_TRY(text, read_file(path, size_t{4} << 20));
  std::ostringstream converted;
  try {
    converted << toml::json_formatter{toml::parse(text, path)};
  } catch (const toml::parse_error& e) {
    return Error(std::string(e.description()) + " (line " + std::to_string(e.source().begin.line) +
                     ", column " + std::to_string(e.source().begin.column) + ")",
                 ErrorKind::usage)
        .at(path);
  }
  nlohmann::json object = nlohmann::json::parse(converted.str(), nullptr, /*allow_exceptions=*/false);
  HAP_TRY(description, parse_description(object));
  if (!description.root_archive.empty()) {
    const fs::path archive = fs::path(path).parent_path() / description.root_archive;
    std::error_code code;
    if (!fs::is_regular_file(archive, code)) {
      return Error("the root file system's archive is not there", ErrorKind::usage).at(archive.string());
    }
    object["root_archive"] = fs::absolute(archive, code).string();
  }
  return object;
}

}  // namespace hap::workload
