#include "compare/ranking.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "measure/random.h"

namespace hap::compare {
namespace {

// The order in which metrics are shown; others follow by name.
constexpr const char* kMetrics[] = {"functions", "function_lines", "executed_lines", "code_bytes",
                                    "complexity"};

std::vector<std::string> metrics_of(const std::vector<Cell>& cells, const RankingInput& input) {
  std::set<std::string> names;
  for (const Cell& cell : cells) {
    for (std::size_t i : cell.recordings) {
      for (const Scope scope : kScopes) {
        for (const auto& [metric, figure] : input.reports[i].figures[static_cast<int>(scope)])
          names.insert(metric);
      }
    }
  }
  std::vector<std::string> ordered;
  for (const char* metric : kMetrics) {
    if (names.erase(metric) > 0) ordered.emplace_back(metric);
  }
  ordered.insert(ordered.end(), names.begin(), names.end());
  return ordered;
}

// A cell's values in one ranking, and draws of its true mean (none with too few boots).
struct Contender {
  RankedFigure figure;
  std::vector<double> draws;
};

RankedFigure summarize(const std::string& sandbox, const std::vector<Repeat>& repeats,
                       const CompareOptions& options) {
  RankedFigure figure{sandbox, measure_spread(repeats, options.seed, options.draws), {}};
  double down = 0;
  double up = 0;
  for (const Repeat& repeat : repeats) {
    down += repeat.value - repeat.low;
    up += repeat.high - repeat.value;
  }
  const auto count = static_cast<double>(repeats.size());
  figure.span = {figure.spread.mean, figure.spread.mean - down / count, figure.spread.mean + up / count};
  return figure;
}

Contender contend(const std::string& sandbox, const std::vector<Repeat>& repeats, std::size_t number,
                  const CompareOptions& options) {
  // The same seed for all cells: cells measured in the same boots are then compared boot by boot.
  return {summarize(sandbox, repeats, options),
          draw_true_means(repeats, options.draws, options.seed, options.seed + 7919 * (number + 1))};
}

void finish(Ranking& ranking, std::vector<Contender> contenders) {
  std::stable_sort(contenders.begin(), contenders.end(), [](const Contender& a, const Contender& b) {
    return a.figure.spread.mean < b.figure.spread.mean;
  });
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    for (std::size_t j = i + 1; j < contenders.size(); ++j) {
      ranking.pairs.push_back({contenders[i].figure.sandbox, contenders[j].figure.sandbox,
                               probability_below(contenders[i].draws, contenders[j].draws)});
    }
  }
  for (Contender& contender : contenders) ranking.order.push_back(std::move(contender.figure));
}

Ranking rank_metric(const std::vector<Cell>& cells, const RankingInput& input, Scope scope,
                    const std::string& metric) {
  Ranking ranking;
  ranking.scope = scope;
  ranking.metric = metric;
  std::vector<Contender> contenders;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    std::vector<Repeat> repeats;
    for (std::size_t i : cells[c].recordings) {
      const ReportSummary& report = input.reports[i];
      const auto& figures = report.figures[static_cast<int>(scope)];
      const auto figure = figures.find(metric);
      if (figure == figures.end() || !figure->second) continue;
      repeats.push_back({report.boot, figure->second->value, figure->second->low, figure->second->high});
    }
    if (repeats.empty()) {
      ranking.unknown.push_back(cells[c].sandbox);
    } else {
      contenders.push_back(contend(cells[c].sandbox, repeats, c, input.options));
    }
  }
  finish(ranking, std::move(contenders));
  return ranking;
}

// By what factor the true number of functions may be below and above the observed one: unseen functions are
// taken to be as long and as buggy as the seen ones.
Interval share_of_missing(const ReportSummary& report, Scope scope) {
  const auto& figures = report.figures[static_cast<int>(scope)];
  const auto functions = figures.find("functions");
  if (functions == figures.end() || !functions->second || functions->second->value <= 0) return {1, 1, 1};
  const Interval& figure = *functions->second;
  return {1, figure.low / figure.value, figure.high / figure.value};
}

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum;
}

// Factors by which the densities may be off: one row per draw, one column per group; mean 1. The same for all
// sandboxes: the density of a subsystem is what it is, whoever exercises it.
std::vector<std::vector<double>> perturbations(std::size_t draws, std::size_t groups, double sigma,
                                               std::uint64_t seed) {
  measure::Random random(seed);
  std::vector<std::vector<double>> factors(draws, std::vector<double>(groups, 1));
  if (sigma <= 0) return factors;
  for (auto& row : factors) {
    for (double& factor : row) factor = std::exp(sigma * random.normal() - sigma * sigma / 2);
  }
  return factors;
}

Ranking rank_model(const std::vector<Cell>& cells, const RankingInput& input, Scope scope,
                   const WeighedModel& model, const std::vector<std::vector<double>>& factors) {
  Ranking ranking;
  ranking.scope = scope;
  ranking.metric = "expected_bugs";
  ranking.model = model.name;
  std::vector<Contender> contenders;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    std::vector<Repeat> repeats;
    std::vector<double> mean_groups(model.vocabulary.groups(), 0);
    for (std::size_t i : cells[c].recordings) {
      const auto groups = model.vocabulary.bugs(input.uses[i], scope);
      if (!groups) continue;
      const double bugs = sum_of(*groups);
      const Interval missing = share_of_missing(input.reports[i], scope);
      repeats.push_back({input.reports[i].boot, bugs, bugs * missing.low, bugs * missing.high});
      for (std::size_t g = 0; g < groups->size(); ++g) mean_groups[g] += (*groups)[g];
    }
    if (repeats.empty()) {
      ranking.unknown.push_back(cells[c].sandbox);
      continue;
    }
    Contender contender = contend(cells[c].sandbox, repeats, c, input.options);
    for (std::size_t d = 0; d < contender.draws.size(); ++d) {
      double shift = 0;
      for (std::size_t g = 0; g < mean_groups.size(); ++g) shift += mean_groups[g] * (factors[d][g] - 1);
      contender.draws[d] += shift / static_cast<double>(repeats.size());
    }
    contenders.push_back(std::move(contender));
  }
  finish(ranking, std::move(contenders));
  return ranking;
}

}  // namespace

std::vector<Ranking> rank(const std::vector<Cell>& cells, const RankingInput& input) {
  std::vector<Ranking> rankings;
  const std::vector<std::string> metrics = metrics_of(cells, input);
  for (const Scope scope : kScopes) {
    for (const std::string& metric : metrics) rankings.push_back(rank_metric(cells, input, scope, metric));
    for (std::size_t m = 0; m < input.models.size(); ++m) {
      const auto factors = perturbations(input.options.draws, input.models[m].vocabulary.groups(),
                                         input.options.density_sigma, input.options.seed + 104729 * (m + 1));
      rankings.push_back(rank_model(cells, input, scope, input.models[m], factors));
    }
  }
  return rankings;
}

}  // namespace hap::compare
