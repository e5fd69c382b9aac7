// Comparing recordings: which sandbox exposes less, how sure is that, and does the order survive the choices
// made?
//
//   reports --load--> ReportSummary --compare_reports()--> Comparison --render--> text, JSON
//   (docs/compare.schema.json)
//
// For every workload, metric, density model and softirq accounting, the sandboxes are ranked and every pair
// gets the probability that one is below the other. A pair's order is called robust only if every one of
// those rankings tells it, and tells the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hap/density.h"
#include "hap/interval.h"
#include "hap/result.h"
#include "hap/uncertainty.h"

namespace hap {

enum class Scope { hap, hap_with_softirq };
inline constexpr Scope kScopes[] = {Scope::hap, Scope::hap_with_softirq};
std::string to_string(Scope scope);  // "hap", "hap_with_softirq"

// A function of the host kernel or hypervisor that a recording exercised in phase serve.
struct FunctionSummary {
  std::string name;
  std::string file;           // relative to the source root; empty: unknown
  double lines = 0;           // all source lines of the function; 0: unknown
  bool softirq_only = false;  // belongs to hap_with_softirq only
};

// What of one recording's report takes part in a comparison.
struct ReportSummary {
  std::string path;
  std::string sandbox;
  std::string workload;
  std::string label;  // variant of the cell; may be empty
  std::string collector;
  std::string kernel;  // release
  std::string kernel_build_id;
  std::string boot;  // equal text = same boot of the same machine; empty: unknown
  std::map<std::string, std::optional<Interval>> figures[2];  // by Scope: metric -> figure, null: unknown
  std::vector<FunctionSummary> functions;
  std::optional<bool> steady_state;
  std::optional<double> coverage;
  std::uint64_t events_lost = 0;
};

// From a report (`hap report --format json`, schema hapmeter.report/1). Errors: not such a report (corrupt).
Result<ReportSummary> parse_report_summary(const std::string& text, const std::string& path);
Result<ReportSummary> load_report_summary(const std::string& path);

struct CompareOptions {
  std::vector<DensityModel> models;        // beside uniform and popularity, which are always there
  double popular_factor = kPopularFactor;  // of the popularity model
  double density_sigma = kDensitySigma;    // of the logarithm of each subsystem's perturbation; 0: none
  double confidence = 0.95;                // from here on a pair's order counts as told
  std::size_t draws = 2000;
  std::uint64_t seed = 1;
};

// A sandbox in a ranking.
struct RankedFigure {
  std::string sandbox;
  Spread spread;
  Interval span;  // mean, mean low and mean high of the recordings: what losses and unseen code allow, always
                  // there
};

struct PairProbability {
  std::string lower;  // the one with the lower mean
  std::string higher;
  std::optional<double> probability;  // that `lower` is below `higher`; null: too few boots
};

struct Ranking {
  Scope scope = Scope::hap;
  std::string metric;
  std::string model;                 // of expected_bugs; empty otherwise
  std::vector<RankedFigure> order;   // ascending by mean
  std::vector<std::string> unknown;  // sandboxes without this figure
  std::vector<PairProbability> pairs;
  std::string name() const { return model.empty() ? metric : metric + ":" + model; }
};

// Kendall's tau-b between two rankings of the sandboxes that both know.
struct Agreement {
  Scope scope = Scope::hap;
  std::string a;
  std::string b;
  std::optional<double> tau;
};

enum class Verdict {
  robust,    // every ranking tells the order, and the same one
  leaning,   // some tell it, none the reverse, the others leave it open
  depends,   // rankings tell opposite orders
  open,      // no ranking tells the order
  untested,  // too few boots for a probability
};
std::string to_string(Verdict verdict);

struct PairVerdict {
  std::string a;  // the one below in most rankings
  std::string b;
  Verdict verdict = Verdict::untested;
  // Names of rankings ("functions", "hap_with_softirq/complexity") by what they tell.
  std::vector<std::string> a_below;
  std::vector<std::string> b_below;
  std::vector<std::string> not_told;
  // By the means alone, however uncertain: in how many rankings is a, is b the lower one?
  std::size_t a_lower = 0;
  std::size_t b_lower = 0;
};

struct WorkloadComparison {
  std::string workload;
  std::vector<std::string> sandboxes;
  std::size_t recordings = 0;
  std::vector<Ranking> rankings;
  std::vector<Agreement> agreement;
  std::vector<PairVerdict> pairs;
  std::vector<std::string> conclusions;  // plain sentences
};

struct ModelDescription {
  std::string name;
  std::string source;
};

struct Comparison {
  CompareOptions options;
  std::vector<ReportSummary> inputs;  // without their functions
  std::vector<ModelDescription> models;
  std::vector<WorkloadComparison> workloads;
  std::vector<std::string> conclusions;  // over all workloads; empty with only one
  std::vector<std::string> notes;        // what limits the comparison
};

// Errors (usage): nothing to compare.
Result<Comparison> compare_reports(std::vector<ReportSummary> reports, CompareOptions options);

// At most 100 columns.
std::string render_text(const Comparison& comparison);
// docs/compare.schema.json, schema "hapmeter.compare/1".
std::string render_json(const Comparison& comparison);

}  // namespace hap
