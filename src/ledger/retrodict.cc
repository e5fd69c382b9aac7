// Retrodiction: would the ledger up to a year have told where the following years' records lie?
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "hap/exposure.h"

namespace hap::ledger {
namespace {

// Kendall's tau-b (M. G. Kendall, Biometrika 33, 1945: ties in either variable).
std::optional<double> kendall(const std::vector<double>& x, const std::vector<double>& y) {
  double agree = 0;
  double ties_x = 0;
  double ties_y = 0;
  double pairs = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = i + 1; j < x.size(); ++j) {
      ++pairs;
      const double dx = x[i] - x[j];
      const double dy = y[i] - y[j];
      if (dx == 0) ++ties_x;
      if (dy == 0) ++ties_y;
      if (dx * dy > 0) ++agree;
      if (dx * dy < 0) --agree;
    }
  }
  const double scale = std::sqrt((pairs - ties_x) * (pairs - ties_y));
  if (scale == 0) return std::nullopt;
  return agree / scale;
}

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&values](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t j = i;
    while (j < order.size() && values[order[j]] == values[order[i]]) ++j;
    for (size_t k = i; k < j; ++k)
      rank[order[k]] = (static_cast<double>(i + j) - 1) / 2;  // ties share the mean
    i = j;
  }
  return rank;
}

// Spearman's rho: Pearson's correlation of the ranks.
std::optional<double> spearman(const std::vector<double>& x, const std::vector<double>& y) {
  const auto a = ranks(x);
  const auto b = ranks(y);
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  if (aa == 0 || bb == 0) return std::nullopt;
  return ab / std::sqrt(aa * bb);
}

std::map<std::string, uint64_t> subsystem_lines(const std::vector<ExercisedFile>& files) {
  std::map<std::string, uint64_t> lines;
  for (const auto& file : files) lines[subsystem_of(file.file)] += file.total_lines.value_or(0);
  return lines;
}

}  // namespace

Retrodiction retrodict(const std::vector<Record>& records, const std::vector<ExercisedCode>& codes, int until,
                       std::optional<int> to, DateBasis basis) {
  Retrodiction result;
  result.until = until;
  result.to = to;
  result.basis = basis;
  std::vector<Record> later;
  uint64_t without_files = 0;
  for (const auto& record : records) {
    if (std::find(record.products.begin(), record.products.end(), "linux") == record.products.end()) continue;
    if (record.files.empty()) {
      ++without_files;
      continue;
    }
    const auto year = year_of(record, basis);
    if (!year) {
      ++result.undated;
    } else if (*year <= until) {
      ++result.training_records;
    } else if (!to || *year <= *to) {
      ++result.test_records;
      later.push_back(record);
    }
  }
  std::vector<double> predicted;
  std::vector<double> uniform;
  std::vector<double> observed;
  std::map<std::string, std::pair<double, double>> by_subsystem;  // per line, before and after
  for (const auto& code : codes) {
    const auto lines = subsystem_lines(code.files);
    const auto before = subsystem_bug_density(records, lines, YearSpan{0, until}, basis);
    const auto after = subsystem_bug_density(later, lines);
    // Densities are per record of the training years; scaled so that the whole build would predict the later
    // total.
    double all_before = 0;
    double all_after = 0;
    double all_lines = 0;
    for (const auto& [subsystem, count] : lines) {
      if (count == 0) continue;
      all_before += before.at(subsystem).records;
      all_after += after.at(subsystem).records;
      all_lines += static_cast<double>(count);
    }
    RetrodictionRow row;
    row.label = code.label;
    row.sandbox = code.sandbox;
    for (const auto& file : code.files) {
      if (file.executed_lines == 0) continue;
      const std::string subsystem = subsystem_of(file.file);
      const auto executed = static_cast<double>(file.executed_lines);
      row.executed_lines += executed;
      if (all_before > 0)
        row.predicted += executed * before.at(subsystem).per_kloc.value_or(0) / 1000 * all_after / all_before;
      if (all_lines > 0) row.predicted_uniform += executed * all_after / all_lines;
      const auto count = lines.at(subsystem);
      if (count > 0) {
        by_subsystem[subsystem] = {before.at(subsystem).per_kloc.value_or(0),
                                   after.at(subsystem).per_kloc.value_or(0)};
      }
    }
    const Exposure met = expose(later, code);
    row.observed = met.dated.weighted;
    row.observed_records = met.dated.exercised;
    predicted.push_back(row.predicted);
    uniform.push_back(row.predicted_uniform);
    observed.push_back(row.observed);
    result.rows.push_back(std::move(row));
  }
  if (codes.size() >= 3) {
    result.tau = kendall(predicted, observed);
    result.tau_uniform = kendall(uniform, observed);
  } else {
    result.warnings.push_back("a rank correlation over recordings needs at least three of them");
  }
  result.subsystems = by_subsystem.size();
  if (by_subsystem.size() >= 5) {
    std::vector<double> before;
    std::vector<double> after;
    for (const auto& [subsystem, pair] : by_subsystem) {
      before.push_back(pair.first);
      after.push_back(pair.second);
    }
    result.subsystem_rho = spearman(before, after);
  }
  if (result.undated > 0) {
    result.warnings.push_back(
        std::to_string(result.undated) +
        " records are undated and in neither part (--undated-by-id dates them by their id)");
  }
  if (without_files > 0)
    result.warnings.push_back(std::to_string(without_files) +
                              " records name no file and are in neither part");
  if (basis == DateBasis::id_year)
    result.warnings.push_back(
        "undated records are dated by the year of their id: when it was reserved, not published");
  if (until < 2024 && (!to || *to >= 2024)) {
    result.warnings.push_back(
        "the kernel's own CNA counts almost every fix since 2024: the two parts count different things");
  }
  return result;
}

}  // namespace hap::ledger
