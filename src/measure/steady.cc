#include <algorithm>

#include "hap/completeness.h"

namespace hap {
namespace {

constexpr double kTrendLevel = 0.01;

// What of the rule is not met yet; empty when it is.
std::string unmet(const SteadyRule& rule, const IncidenceCounts& counts, std::uint32_t quiet,
                  const std::optional<UnseenEstimate>& unseen) {
  if (counts.windows < rule.min_windows) {
    return "at least " + std::to_string(rule.min_windows) + " windows";
  }
  if (counts.items == 0) return "anything to be seen at all";
  const auto coverage = sample_coverage(counts);
  if (!coverage || *coverage < rule.coverage) return "the coverage to reach its target";
  if (quiet < rule.quiet_windows) return "a window that adds nothing new";
  if (!unseen) return "at least " + std::to_string(kMinWindows) + " windows";
  const Interval growth = predict_growth(counts, *unseen, rule.growth_factor);
  if (growth.high > rule.growth_limit * static_cast<double>(counts.items)) {
    return "the predicted growth to fall below its limit";
  }
  return {};
}

}  // namespace

SteadyVerdict SteadyWatch::observe(std::span<const std::uint64_t> items_seen) {
  std::vector<std::uint64_t> ids(items_seen.begin(), items_seen.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  ++windows_;

  std::vector<Item> fresh;
  auto known = items_.begin();
  for (std::uint64_t id : ids) {
    known = std::lower_bound(known, items_.end(), id,
                             [](const Item& item, std::uint64_t x) { return item.id < x; });
    if (known != items_.end() && known->id == id) {
      ++known->windows;
    } else {
      fresh.push_back({id, 1});
    }
  }
  quiet_ = fresh.empty() ? quiet_ + 1 : 0;
  const auto middle = static_cast<std::ptrdiff_t>(items_.size());
  items_.insert(items_.end(), fresh.begin(), fresh.end());
  std::inplace_merge(items_.begin(), items_.begin() + middle, items_.end(),
                     [](const Item& a, const Item& b) { return a.id < b.id; });

  const IncidenceCounts now = counts();
  // The likelihood search is the only costly part; before the floor it cannot change the verdict.
  const bool early = windows_ < rule_.min_windows || quiet_ < rule_.quiet_windows;
  waiting_for_ = unmet(rule_, now, quiet_, early ? std::nullopt : estimate_unseen(now));
  if (waiting_for_.empty()) return SteadyVerdict::steady;
  return windows_ >= rule_.max_windows ? SteadyVerdict::cap_reached : SteadyVerdict::not_yet;
}

IncidenceCounts SteadyWatch::counts() const {
  IncidenceCounts counts;
  counts.windows = windows_;
  counts.items = items_.size();
  counts.q.assign(static_cast<std::size_t>(windows_) + 1, 0);
  for (const Item& item : items_) {
    ++counts.q[item.windows];
    counts.incidences += item.windows;
  }
  return counts;
}

Completeness assess_completeness(const Incidence& incidence, const SteadyRule& rule, std::uint64_t seed) {
  Completeness result;
  const IncidenceCounts counts = count_incidence(incidence);
  result.windows = counts.windows;
  result.seen = counts.items;
  result.coverage = sample_coverage(counts);
  result.curve = accumulation_curve(counts);
  result.unseen = estimate_unseen(counts, rare_dispersion(incidence));
  if (!result.unseen) {
    result.warnings.push_back(CompletenessWarning::too_few_windows);
    return result;
  }
  result.warnings = result.unseen->warnings;
  result.invariance = check_window_invariance(incidence, seed);
  if (result.invariance.checked && !result.invariance.invariant) {
    result.warnings.push_back(CompletenessWarning::window_dependent);
    for (const WindowSizeEstimate& size : result.invariance.sizes) {
      result.unseen->low = std::min(result.unseen->low, size.unseen.low);
      result.unseen->high = std::max(result.unseen->high, size.unseen.high);
    }
  }
  const double trend = growth_trend_p_value(incidence, seed);
  if (trend < kTrendLevel) result.warnings.push_back(CompletenessWarning::still_growing);
  result.growth = predict_growth(counts, *result.unseen, rule.growth_factor);

  std::uint32_t last_new = 0;
  for (std::size_t item = 0; item < incidence.items(); ++item) {
    last_new = std::max(last_new, incidence.windows_of(item).front());
  }
  const std::uint32_t quiet = counts.items == 0 ? 0 : counts.windows - 1 - last_new;
  if (counts.windows >= rule.min_windows) {
    result.steady_state = trend >= kTrendLevel && unmet(rule, counts, quiet, result.unseen).empty();
  }
  return result;
}

}  // namespace hap
