#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compare/ranking.h"
#include "compare/verdict.h"
#include "compare/vocabulary.h"
#include "hap/compare.h"

namespace hap {
namespace {

using compare::Cell;

template <typename Member>
std::set<std::string> distinct(const std::vector<ReportSummary>& reports, Member member) {
  std::set<std::string> values;
  for (const ReportSummary& report : reports) values.insert(report.*member);
  return values;
}

// A sandbox's name, with whatever else tells its recordings from others in this comparison.
class Naming {
 public:
  explicit Naming(const std::vector<ReportSummary>& reports)
      : collectors_(distinct(reports, &ReportSummary::collector).size() > 1),
        kernels_(distinct(reports, &ReportSummary::kernel).size() > 1) {}

  std::string operator()(const ReportSummary& report) const {
    std::string name = report.sandbox;
    if (!report.label.empty()) name += "/" + report.label;
    if (collectors_) name += "/" + report.collector;
    if (kernels_) name += "/" + report.kernel;
    return name;
  }

 private:
  bool collectors_;
  bool kernels_;
};

void note_limits(const std::vector<ReportSummary>& reports, bool popularity,
                 std::vector<std::string>& notes) {
  if (const auto kernels = distinct(reports, &ReportSummary::kernel); kernels.size() > 1) {
    notes.push_back(
        fmt::format("Recordings of {} kernels: {}. Differences between sandboxes of different kernels are "
                    "differences of the kernels too.",
                    kernels.size(), fmt::join(kernels, ", ")));
  }
  if (const auto collectors = distinct(reports, &ReportSummary::collector); collectors.size() > 1) {
    notes.push_back(
        fmt::format("Recordings of several collectors ({}), which see different things: compare within one.",
                    fmt::join(collectors, ", ")));
  }
  std::size_t unsteady = 0;
  std::size_t lossy = 0;
  std::size_t without_boot = 0;
  std::size_t without_functions = 0;
  for (const ReportSummary& report : reports) {
    unsteady += report.steady_state == false;
    lossy += report.events_lost > 0;
    without_boot += report.boot.empty();
    without_functions += report.functions.empty();
  }
  const std::size_t all = reports.size();
  if (unsteady > 0) {
    notes.push_back(fmt::format(
        "{} of {} recordings had not reached their steady state; their figures would grow.", unsteady, all));
  }
  if (lossy > 0)
    notes.push_back(fmt::format("{} of {} recordings lost events; their intervals are wider.", lossy, all));
  if (without_boot > 0) {
    notes.push_back(
        fmt::format("{} of {} recordings do not say which boot they are from; they are taken to be from "
                    "one.",
                    without_boot, all));
  }
  if (without_functions > 0) {
    notes.push_back(fmt::format("{} of {} reports list no functions: expected bugs are unknown for them.",
                                without_functions, all));
  }
  if (!popularity) {
    notes.emplace_back(
        "Density model popularity: unknown, it takes at least two workloads to say what is popular.");
  }
}

std::vector<compare::WeighedModel> weigh(const compare::Vocabulary& vocabulary, const CompareOptions& options,
                                         std::unordered_set<std::string> popular, Comparison& comparison) {
  std::vector<compare::WeighedModel> weighed;
  const auto add = [&](const DensityModel& model, const std::string& name, const std::string& source) {
    comparison.models.push_back({name, source});
    weighed.push_back({name, compare::WeighedVocabulary(vocabulary, model)});
  };
  const auto uniform = DensityModel::uniform();
  add(uniform, uniform.name(), fmt::format("{}; {} per 1,000 lines", uniform.source(), kUniformPerKloc));
  if (!popular.empty()) {
    const std::size_t count = popular.size();
    const auto popularity = DensityModel::popularity(std::move(popular), options.popular_factor);
    add(popularity, popularity.name(),
        fmt::format("{}; {} functions, at {} times the density of others (the factor is an assumption)",
                    popularity.source(), count, options.popular_factor));
  }
  for (const DensityModel& model : options.models) add(model, model.name(), model.source());
  return weighed;
}

}  // namespace

Result<Comparison> compare_reports(std::vector<ReportSummary> reports, CompareOptions options) {
  if (reports.empty()) {
    return Error("there is nothing to compare", ErrorKind::usage)
        .hint("name recordings, reports or a folder of them");
  }
  for (std::size_t i = 0; i < options.models.size(); ++i) {
    const std::string& name = options.models[i].name();
    const bool taken =
        name == "uniform" || name == "popularity" ||
        std::any_of(options.models.begin(), options.models.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const DensityModel& other) { return other.name() == name; });
    if (taken) {
      return Error("two density models are called \"" + name + "\"", ErrorKind::usage)
          .hint("give each table its own `name`");
    }
  }
  Comparison comparison;

  compare::Vocabulary vocabulary;
  std::vector<std::vector<compare::FunctionUse>> uses;
  uses.reserve(reports.size());
  for (ReportSummary& report : reports) uses.push_back(vocabulary.add(report.functions));

  auto popular = compare::popular_functions(vocabulary, reports, uses);
  note_limits(reports, !popular.empty(), comparison.notes);
  const auto models = weigh(vocabulary, options, std::move(popular), comparison);

  const Naming name_of(reports);
  std::map<std::string, std::map<std::string, Cell>> by_workload;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    Cell& cell = by_workload[reports[i].workload][name_of(reports[i])];
    cell.sandbox = name_of(reports[i]);
    cell.recordings.push_back(i);
  }
  for (const auto& [workload, named_cells] : by_workload) {
    WorkloadComparison result;
    result.workload = workload;
    std::vector<Cell> cells;
    for (const auto& [name, cell] : named_cells) {
      result.sandboxes.push_back(name);
      result.recordings += cell.recordings.size();
      cells.push_back(cell);
    }
    result.rankings = compare::rank(cells, {reports, uses, models, options});
    result.agreement = compare::agreement_of(result.rankings);
    result.pairs = compare::judge_pairs(result.sandboxes, result.rankings, options.confidence);
    result.conclusions = compare::conclude(result);
    comparison.workloads.push_back(std::move(result));
  }
  comparison.conclusions = compare::conclude_across(comparison.workloads);

  for (ReportSummary& report : reports) {
    report.functions.clear();
    report.functions.shrink_to_fit();
  }
  comparison.inputs = std::move(reports);
  comparison.options = std::move(options);
  return comparison;
}

}  // namespace hap
