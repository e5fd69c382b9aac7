#include <algorithm>
#include <cmath>
#include <numeric>

#include "hap/completeness.h"
#include "measure/random.h"

namespace hap {
namespace {

using measure::Random;

// Overall level of the test; each merged size gets an equal part of it (Bonferroni).
constexpr double kLevel = 0.01;

// Counts after merging: `group_of[w]` is the merged window of window w, or `groups` when w is left out.
IncidenceCounts merged_counts(const Incidence& incidence, const std::vector<std::uint32_t>& group_of,
                              std::uint32_t groups, const std::vector<std::size_t>& items,
                              std::vector<std::uint32_t>& last_item) {
  IncidenceCounts counts;
  counts.windows = groups;
  counts.q.assign(groups + 1, 0);
  std::fill(last_item.begin(), last_item.end(), 0);
  std::uint32_t stamp = 0;
  for (std::size_t item : items) {
    ++stamp;
    std::uint32_t distinct = 0;
    for (std::uint32_t window : incidence.windows_of(item)) {
      const std::uint32_t group = group_of[window];
      if (group == groups || last_item[group] == stamp) continue;
      last_item[group] = stamp;
      ++distinct;
    }
    if (distinct == 0) continue;
    ++counts.q[distinct];
    ++counts.items;
    counts.incidences += distinct;
  }
  return counts;
}

// Observed and unseen items of the merged counts. Items that are frequent under every merge are left out of
// both sides of the comparison, so this is the total up to a constant.
double richness(const IncidenceCounts& counts) {
  const auto unseen = chao2_unseen(counts);
  return static_cast<double>(counts.items) + (unseen ? unseen->value : 0);
}

Interval interval_of(const Incidence& incidence) {
  const auto unseen = estimate_unseen(count_incidence(incidence), rare_dispersion(incidence));
  return unseen ? Interval{unseen->value, unseen->low, unseen->high} : Interval{};
}

// The same items over windows `merge` times as long; windows left over at the end are dropped.
Incidence merge_adjacent(const Incidence& incidence, std::uint32_t merge) {
  Incidence merged(incidence.windows() / merge);
  std::vector<std::uint32_t> seen_in;
  for (std::size_t item = 0; item < incidence.items(); ++item) {
    seen_in.clear();
    for (std::uint32_t window : incidence.windows_of(item)) {
      if (window / merge < merged.windows()) seen_in.push_back(window / merge);
    }
    (void)merged.add(seen_in);  // in range by construction
  }
  return merged;
}

WindowSizeEstimate estimate_merged(const Incidence& incidence, std::uint32_t merge, Random& random,
                                   std::uint32_t permutations) {
  const std::uint32_t total = incidence.windows();
  const std::uint32_t groups = total / merge;
  const std::uint32_t remainder = total % merge;
  std::vector<std::uint32_t> group_of(total);
  for (std::uint32_t w = 0; w < total; ++w) group_of[w] = std::min(w / merge, groups);

  // With more windows than this an item is in at least three merged windows whatever the order.
  const std::size_t rare = 2 * static_cast<std::size_t>(merge) + remainder;
  std::vector<std::size_t> items;
  for (std::size_t item = 0; item < incidence.items(); ++item) {
    if (incidence.windows_of(item).size() <= rare) items.push_back(item);
  }

  WindowSizeEstimate size;
  size.merged = merge;
  size.windows = groups;
  std::vector<std::uint32_t> scratch(groups + 1, 0);
  size.unseen = interval_of(merge_adjacent(incidence, merge));
  const double observed = richness(merged_counts(incidence, group_of, groups, items, scratch));

  std::uint32_t as_low = 1;
  std::uint32_t as_high = 1;
  for (std::uint32_t i = 0; i < permutations; ++i) {
    measure::shuffle(group_of, random);
    const double other = richness(merged_counts(incidence, group_of, groups, items, scratch));
    if (other <= observed) ++as_low;
    if (other >= observed) ++as_high;
  }
  size.p_value = std::min(1.0, 2.0 * std::min(as_low, as_high) / (permutations + 1.0));
  return size;
}

}  // namespace

WindowInvariance check_window_invariance(const Incidence& incidence, std::uint64_t seed,
                                         std::uint32_t permutations) {
  WindowInvariance result;
  if (incidence.windows() < kMinWindows || incidence.items() == 0) return result;
  WindowSizeEstimate base;
  base.windows = incidence.windows();
  base.unseen = interval_of(incidence);
  result.sizes.push_back(base);

  Random random(seed);
  for (std::uint32_t merge : {2U, 4U, 8U}) {
    if (incidence.windows() / merge < kMinWindows) break;
    result.sizes.push_back(estimate_merged(incidence, merge, random, permutations));
  }
  const auto tests = static_cast<double>(result.sizes.size() - 1);
  result.checked = tests > 0;
  result.invariant =
      result.checked && std::all_of(result.sizes.begin() + 1, result.sizes.end(),
                                    [&](const auto& s) { return s.p_value * tests >= kLevel; });
  return result;
}

double growth_trend_p_value(const Incidence& incidence, std::uint64_t seed, std::uint32_t permutations) {
  // Items of the same path appear together; permuting whole windows keeps that, so the test stays exact.
  const std::uint32_t total = incidence.windows();
  if (total < 2 || incidence.items() == 0) return 1;
  std::vector<std::uint32_t> place(total);
  std::iota(place.begin(), place.end(), 0U);
  // An item seen in many windows is first seen in one of the first few in any order: its share of the sum is
  // small and nearly constant. Leaving such items out keeps this fast for ten thousand lines.
  const std::size_t rare = std::max<std::size_t>(10, total / 8);
  std::vector<std::size_t> items;
  for (std::size_t item = 0; item < incidence.items(); ++item) {
    if (incidence.windows_of(item).size() <= rare) items.push_back(item);
  }
  if (items.empty()) return 1;
  const auto sum_of_first = [&] {
    double sum = 0;
    for (std::size_t item : items) {
      std::uint32_t first = total;
      for (std::uint32_t window : incidence.windows_of(item)) first = std::min(first, place[window]);
      sum += first;
    }
    return sum;
  };
  const double observed = sum_of_first();
  Random random(seed);
  std::uint32_t as_late = 1;
  for (std::uint32_t i = 0; i < permutations; ++i) {
    measure::shuffle(place, random);
    if (sum_of_first() >= observed) ++as_late;
  }
  return as_late / (permutations + 1.0);
}

}  // namespace hap
