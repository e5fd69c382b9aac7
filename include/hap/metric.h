// Metrics: figures of a selection of a profile, each a pure function with a unit, a definition and a source.
//
// To add a metric: implement Metric in a file of its own in src/measure, list it in make_metrics()
// (registry.cc), and describe it in docs/metrics.md. Reports, `hap list metrics` and the JSON take it from
// there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hap/completeness.h"
#include "hap/density.h"
#include "hap/interval.h"
#include "hap/profile.h"

namespace hap {

// A figure. Null: unknown. `low` and `high` bound what unseen code and losses could make of it; they equal
// `value` where no estimate was asked for or none is possible (`bounded` tells which).
struct Measurement {
  std::optional<Interval> value;  // null: unknown
  bool bounded = false;           // low and high come from an estimate
  uint64_t unknown = 0;           // functions hit that lack the property, left out of `value`
};

// What a selection may be missing. Null members: no estimate is possible.
struct UnseenCode {
  std::optional<Interval> functions;  // null: cannot be told
  std::optional<Interval> lines;      // null: cannot be told
  std::optional<Interval> blocks;     // null: cannot be told
};

// What a metric is measured of.
struct MetricInput {
  const Profile& profile;              // not owned
  const Selection& selection;          // what of it counts
  const UnseenCode* unseen = nullptr;  // null: no bounds wanted
  // Inputs of single metrics; null or empty: unknown.
  const DensityModel* density = nullptr;
  std::optional<Interval> known_cves;  // what the ledger says; null: no ledger
};

// One measure. Pure: the same input gives the same figure.
class Metric {
 public:
  virtual ~Metric() = default;
  virtual std::string_view name() const = 0;  // as in the JSON: "executed_lines"
  // "functions", "lines", "bytes", ...
  virtual std::string_view unit() const = 0;
  virtual std::string_view definition() const = 0;  // one sentence
  virtual std::string_view source() const = 0;      // who measured this before
  // Null where the input does not hold what it takes.
  virtual Measurement measure(const MetricInput& input) const = 0;
};

// All metrics, in the order in which reports show them.
std::vector<std::unique_ptr<Metric>> make_metrics();

// The estimators' view of a selection: which windows each of its functions, lines or blocks was seen in.
Incidence function_incidence(const Profile& profile, const Selection& selection);
// Source lines by window.
Incidence line_incidence(const Profile& profile, const Selection& selection);
// Pieces of code by window.
Incidence block_incidence(const Profile& profile, const Selection& selection);

// Estimates of unseen code, plus what was lost: an event that was lost hides one function at most, and a
// function that the collector could not observe may have run.
UnseenCode estimate_unseen_code(const Profile& profile, const Selection& selection);

}  // namespace hap
