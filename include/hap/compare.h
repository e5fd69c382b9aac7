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

// Which figure is compared.
enum class Scope { hap, hap_with_softirq };
// Every scope, in the order of ReportSummary::figures.
inline constexpr Scope kScopes[] = {Scope::hap, Scope::hap_with_softirq};
std::string to_string(Scope scope);  // "hap", "hap_with_softirq"

// A function of the host kernel or hypervisor that a recording exercised in phase serve.
struct FunctionSummary {
  std::string name;           // as in the source
  std::string file;           // relative to the source root; empty: unknown
  double lines = 0;           // all source lines of the function; 0: unknown
  bool softirq_only = false;  // belongs to hap_with_softirq only
};

// What of one recording's report takes part in a comparison.
struct ReportSummary {
  std::string path;             // of the recording or report
  std::string sandbox;          // its name
  std::string workload;         // its name
  std::string label;            // variant of the cell; may be empty
  std::string collector;        // emulator, bpf, ftrace
  std::string kernel;           // release
  std::string kernel_build_id;  // empty: unknown
  std::string boot;             // equal text = same boot of the same machine; empty: unknown
  std::map<std::string, std::optional<Interval>> figures[2];  // by Scope: metric -> figure, null: unknown
  std::vector<FunctionSummary> functions;                     // of the HAP with softirqs
  std::optional<bool> steady_state;                           // null: too few windows to tell
  std::optional<double> coverage;  // share of executions that fall on functions seen; null: unknown
  std::uint64_t events_lost = 0;   // 0 also when the collector did not say
};

// From a report (`hap report --format json`, schema hapmeter.report/1). Errors: not such a report (corrupt).
Result<ReportSummary> parse_report_summary(const std::string& text, const std::string& path);
// Reads a report (JSON). Errors: not there, not a report of a version this program knows.
Result<ReportSummary> load_report_summary(const std::string& path);

// What a comparison depends on besides its inputs.
struct CompareOptions {
  std::vector<DensityModel> models;        // beside uniform and popularity, which are always there
  double popular_factor = kPopularFactor;  // of the popularity model
  double density_sigma = kDensitySigma;    // of the logarithm of each subsystem's perturbation; 0: none
  double confidence = 0.95;                // from here on a pair's order counts as told
  std::size_t draws = 2000;                // of the resampling
  std::uint64_t seed = 1;                  // of the resampling: the same seed gives the same digits
};

// A sandbox in a ranking.
struct RankedFigure {
  std::string sandbox;  // as the comparison names it
  Spread spread;        // of the recordings, within and between boots
  Interval span;  // mean, mean low and mean high of the recordings: what losses and unseen code allow, always
                  // there
};

// How probable it is that one sandbox is below another.
struct PairProbability {
  std::string lower;                  // the one with the lower mean
  std::string higher;                 // the one with the higher mean
  std::optional<double> probability;  // that `lower` is below `higher`; null: too few boots
};

// Sandboxes by one figure.
struct Ranking {
  Scope scope = Scope::hap;            // of the figure
  std::string metric;                  // of the figure
  std::string model;                   // of expected_bugs; empty otherwise
  std::vector<RankedFigure> order;     // ascending by mean
  std::vector<std::string> unknown;    // sandboxes without this figure
  std::vector<PairProbability> pairs;  // every pair of the order
  // "expected_bugs:uniform"
  std::string name() const { return model.empty() ? metric : metric + ":" + model; }
};

// Kendall's tau-b between two rankings of the sandboxes that both know.
struct Agreement {
  Scope scope = Scope::hap;   // both rankings'
  std::string a;              // name of a ranking
  std::string b;              // name of the other
  std::optional<double> tau;  // Kendall's tau-b; null: too few sandboxes in common
};

// What all rankings together say of a pair.
enum class Verdict {
  robust,    // every ranking tells the order, and the same one
  leaning,   // some tell it, none the reverse, the others leave it open
  depends,   // rankings tell opposite orders
  open,      // no ranking tells the order
  untested,  // too few boots for a probability
};
// "robust", "leaning", ...
std::string to_string(Verdict verdict);

// What the rankings say of two sandboxes.
struct PairVerdict {
  std::string a;                        // the one below in most rankings
  std::string b;                        // the other
  Verdict verdict = Verdict::untested;  // all rankings together
  // Names of rankings ("functions", "hap_with_softirq/complexity") by what they tell.
  std::vector<std::string> a_below;
  std::vector<std::string> b_below;   // rankings that tell b below a
  std::vector<std::string> not_told;  // rankings that leave it open
  // By the means alone, however uncertain: in how many rankings is a, is b the lower one?
  std::size_t a_lower = 0;
  std::size_t b_lower = 0;  // see a_lower
};

// The sandboxes that were measured with one workload.
struct WorkloadComparison {
  std::string workload;                  // its name
  std::vector<std::string> sandboxes;    // by name
  std::size_t recordings = 0;            // that went in
  std::vector<Ranking> rankings;         // every scope, metric and model
  std::vector<Agreement> agreement;      // of each two rankings
  std::vector<PairVerdict> pairs;        // of each two sandboxes
  std::vector<std::string> conclusions;  // plain sentences
};

// A density model, as the output names it.
struct ModelDescription {
  std::string name;    // as on the command line
  std::string source;  // where its numbers come from
};

// The outcome of compare_reports().
struct Comparison {
  CompareOptions options;                     // that it was made with
  std::vector<ReportSummary> inputs;          // without their functions
  std::vector<ModelDescription> models;       // in the order of the rankings
  std::vector<WorkloadComparison> workloads;  // by name
  std::vector<std::string> conclusions;       // over all workloads; empty with only one
  std::vector<std::string> notes;             // what limits the comparison
};

// Errors (usage): nothing to compare.
Result<Comparison> compare_reports(std::vector<ReportSummary> reports, CompareOptions options);

// At most 100 columns.
std::string render_text(const Comparison& comparison);
// docs/compare.schema.json, schema "hapmeter.compare/1".
std::string render_json(const Comparison& comparison);

}  // namespace hap
