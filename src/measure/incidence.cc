#include <algorithm>
#include <cmath>

#include "hap/completeness.h"

namespace hap {

Status Incidence::add(std::span<const std::uint32_t> seen_in) {
  if (seen_in.empty()) return {};
  for (std::uint32_t window : seen_in) {
    if (window >= windows_) {
      return Error("window " + std::to_string(window) + " is outside the phase's " +
                       std::to_string(windows_) + " windows",
                   ErrorKind::corrupt);
    }
  }
  const auto first = static_cast<std::ptrdiff_t>(positions_.size());
  positions_.insert(positions_.end(), seen_in.begin(), seen_in.end());
  std::sort(positions_.begin() + first, positions_.end());
  positions_.erase(std::unique(positions_.begin() + first, positions_.end()), positions_.end());
  offsets_.push_back(positions_.size());
  return {};
}

IncidenceCounts count_incidence(const Incidence& incidence) {
  IncidenceCounts counts;
  counts.windows = incidence.windows();
  counts.q.assign(counts.windows + 1, 0);
  counts.items = incidence.items();
  for (std::size_t item = 0; item < incidence.items(); ++item) {
    const std::size_t k = incidence.windows_of(item).size();
    ++counts.q[k];
    counts.incidences += k;
  }
  return counts;
}

Result<IncidenceCounts> count_incidence(std::uint32_t windows,
                                        std::span<const std::uint32_t> windows_per_item) {
  IncidenceCounts counts;
  counts.windows = windows;
  counts.q.assign(static_cast<std::size_t>(windows) + 1, 0);
  for (std::uint32_t k : windows_per_item) {
    if (k > windows) {
      return Error("an item was seen in " + std::to_string(k) + " of " + std::to_string(windows) + " windows",
                   ErrorKind::corrupt);
    }
    if (k == 0) continue;
    ++counts.q[k];
    ++counts.items;
    counts.incidences += k;
  }
  return counts;
}

std::vector<double> accumulation_curve(const IncidenceCounts& counts) {
  const std::uint32_t total = counts.windows;
  std::vector<double> curve(total, 0);
  for (std::uint32_t k = 1; k < counts.q.size(); ++k) {
    if (counts.q[k] == 0) continue;
    const auto items = static_cast<double>(counts.q[k]);
    // missed = C(T-k, t) / C(T, t): the chance that none of t windows is one of the item's k; goes from t to
    // t+1 by the factor (T-k-t) / (T-t).
    double missed = 1;
    for (std::uint32_t t = 1; t <= total; ++t) {
      const double left = static_cast<double>(total) - k - (t - 1);
      missed = left <= 0 ? 0 : missed * left / (static_cast<double>(total) - (t - 1));
      curve[t - 1] += items * (1 - missed);
    }
  }
  return curve;
}

std::optional<double> sample_coverage(const IncidenceCounts& counts) {
  if (counts.windows < 2 || counts.incidences == 0) return std::nullopt;
  const double t = counts.windows;
  const auto u = static_cast<double>(counts.incidences);
  const auto q1 = static_cast<double>(counts.uniques());
  const auto q2 = static_cast<double>(counts.duplicates());
  if (q1 == 0) return 1.0;
  const double a =
      q2 > 0 ? (t - 1) * q1 / ((t - 1) * q1 + 2 * q2) : (t - 1) * (q1 - 1) / ((t - 1) * (q1 - 1) + 2);
  return 1 - q1 / u * a;
}

double rare_dispersion(const Incidence& incidence) {
  constexpr std::size_t kRare = 3;
  if (incidence.windows() < 2) return 1;
  std::vector<double> per_window(incidence.windows(), 0);
  double total = 0;
  for (std::size_t item = 0; item < incidence.items(); ++item) {
    const auto seen_in = incidence.windows_of(item);
    if (seen_in.size() > kRare) continue;
    for (std::uint32_t window : seen_in) per_window[window] += 1;
    total += static_cast<double>(seen_in.size());
  }
  if (total == 0) return 1;
  const double mean = total / incidence.windows();
  double squares = 0;
  for (double x : per_window) squares += (x - mean) * (x - mean);
  return std::max(1.0, squares / (incidence.windows() - 1) / mean);
}

}  // namespace hap
