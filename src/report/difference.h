// The difference of two profiles: figures, source folders, functions and lines that one has and the other has
// not, and the system calls and contexts that brought them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hap/interval.h"
#include "hap/profile.h"
#include "hap/resolver.h"
#include "hap/result.h"
#include "report/origin.h"

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

// Executed lines are null where a recording holds function entries only.
struct FolderChange {
  std::string name;
  std::optional<uint64_t> lines_before, lines_after;
  uint64_t functions_before = 0, functions_after = 0;
  uint64_t functions_gained = 0, functions_lost = 0;
  // Null also between two builds of the kernel, whose lines are not the same ones.
  std::optional<uint64_t> lines_gained, lines_lost;
  // Of the functions gained, lost or changed; the entries that lead to most of them first.
  Origin origin;
};

struct FunctionChange {
  std::string name;
  std::string file;       // empty: unknown
  std::string subsystem;  // its source folder
  std::optional<uint32_t> lines;
  std::optional<uint32_t> lines_before, lines_after;  // executed
  uint32_t windows_before = 0, windows_after = 0;     // seen in; 0: not at all
  Origin origin;                                      // in the recording that has it; in `after` for both
};

struct Side {
  std::string path, sandbox, workload, kernel;
  uint64_t windows = 0;
};

struct Difference {
  DifferenceOptions options;
  Side before, after;
  bool same_kernel = false;  // the same build of it
  std::vector<MetricChange> metrics;
  std::vector<FolderChange> folders;                    // those that differ, largest change first
  std::vector<FunctionChange> only_before, only_after;  // by name
  std::vector<FunctionChange> changed;                  // in both, with other lines executed
  uint64_t in_both = 0;
  std::vector<std::string> syscalls_only_before, syscalls_only_after;  // entered by one of them only
};

// One of the two that are compared.
struct Compared {
  const Profile& profile;
  const Resolver& resolver;
  std::string path;
  std::optional<Interval> known_cves;  // null: no ledger
};

// Functions are the same when name and file are; lines may move between kernel builds.
Difference make_difference(const Compared& before, const Compared& after,
                           const DifferenceOptions& options = {});

nlohmann::ordered_json to_json(const Difference& difference);  // docs/diff.schema.json, "hapmeter.diff/1"
std::string render_text(const Difference& difference);         // at most 100 columns
std::string render_markdown(const Difference& difference);     // for a pull request

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
