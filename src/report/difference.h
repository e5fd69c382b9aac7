// The difference of two profiles: figures, source folders and functions that one has and the other has not.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hap/profile.h"
#include "hap/result.h"

namespace hap::report {

struct DifferenceOptions {
  bool with_softirq = false;
  Phase phase = Phase::serve;
};

struct MetricChange {
  std::string metric;
  std::optional<double> before, after;  // null: unknown
  // after / before - 1; null where either is unknown or before is 0.
  std::optional<double> relative() const;
};

struct FolderChange {
  std::string name;
  uint64_t lines_before = 0, lines_after = 0;
  uint64_t functions_before = 0, functions_after = 0;
};

struct FunctionChange {
  std::string name;
  std::string file;  // empty: unknown
  std::optional<uint32_t> lines;
  uint32_t lines_before = 0, lines_after = 0;      // executed
  uint32_t windows_before = 0, windows_after = 0;  // seen in; 0: not at all
};

struct Side {
  std::string path, sandbox, workload, kernel;
  uint64_t windows = 0;
};

struct Difference {
  DifferenceOptions options;
  Side before, after;
  std::vector<MetricChange> metrics;
  std::vector<FolderChange> folders;                    // those that differ, largest change first
  std::vector<FunctionChange> only_before, only_after;  // by name
  std::vector<FunctionChange> changed;                  // in both, with other lines executed
  uint64_t in_both = 0;
};

// Functions are the same when name and file are; lines may move between kernel builds.
Difference make_difference(const Profile& before, const std::string& before_path, const Profile& after,
                           const std::string& after_path, const DifferenceOptions& options = {});

nlohmann::ordered_json to_json(const Difference& difference);  // docs/diff.schema.json, "hapmeter.diff/1"
std::string render_text(const Difference& difference);
std::string render_markdown(const Difference& difference);

// "functions>+5%", "executed_lines>+100", "code_bytes>-1%": fails when the change of the metric is above
// that.
struct Threshold {
  std::string metric;
  double limit = 0;
  bool percent = false;
  std::string text;
};
Result<Threshold> parse_threshold(const std::string& text);  // errors: usage
// Null: the change is unknown, which a threshold must not pass.
std::optional<bool> exceeded(const Threshold& threshold, const Difference& difference);

}  // namespace hap::report
