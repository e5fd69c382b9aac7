// The formats of a report.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hap/report.h"

namespace hap::report {

// docs/report.schema.json, schema "hapmeter.report/1".
nlohmann::ordered_json to_json(const Report& report);

// One report as an object, several as an array, indented.
std::string render_json(const std::vector<Report>& reports);

// At most 100 columns. Explains each term once, at the end.
std::string render_text(const std::vector<Report>& reports);

// One line per function, RFC 4180, with a header line.
std::string render_csv(const std::vector<Report>& reports);

// An lcov tracefile of a layer's code in phase serve, or of the HAP: executed lines with the number of
// windows they were seen in, and the lines that have code but did not execute. Functions without a known
// place cannot stand in one. Paths are prefixed with `source_root` when it is not empty.
std::string render_lcov(const Profile& profile, const Resolver& resolver, const std::string& test_name,
                        const std::string& source_root, const std::optional<Layer>& layer = std::nullopt);

}  // namespace hap::report
