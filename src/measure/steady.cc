#include <algorithm>

#include "hap/completeness.h"

namespace hap {
namespace {

constexpr double kTrendLevel = 0.01;

// What of the rule is not met yet; empty when it is.
std::string unmet(const SteadyRule& rule, const IncidenceCounts& counts, std::uint32_t quiet) {
  if (counts.windows < rule.min_windows) {
    return "at least " + std::to_string(rule.min_windows) + " windows";
  }
  if (counts.items == 0) return "anything to be seen at all";
  const auto coverage = sample_coverage(counts);
  if (!coverage || *coverage < rule.coverage) return "the coverage to reach its target";
  if (quiet < rule.quiet_windows || quiet < rule.quiet_share * counts.windows) {
    return "a stretch of windows that adds nothing new";
  }
  return {};
}

std::string unmet(const SteadyRule& rule, const Completeness& seen) {
  if (!seen.growth) return "at least " + std::to_string(kMinWindows) + " windows";
  // The estimate is a lower bound of what will come.
  if (seen.growth->value > rule.growth_limit / 2 * static_cast<double>(seen.seen)) {
    return "the predicted growth to fall below its limit";
  }
  for (const CompletenessWarning warning : seen.warnings) {
    if (warning == CompletenessWarning::still_growing) return "late windows to bring as little as early ones";
  }
  return {};
}

}  // namespace

SteadyVerdict SteadyWatch::observe(std::span<const std::uint64_t> items_seen) {
  bool fresh = false;
  for (const std::uint64_t id : items_seen) {
    const auto [item, added] = items_.try_emplace(id);
    fresh |= added;
    if (item->second.empty() || item->second.back() != windows_) item->second.push_back(windows_);
  }
  quiet_ = fresh ? 0 : quiet_ + 1;
  ++windows_;

  waiting_for_ = unmet(rule_, counts(), quiet_);
  // The estimates are the costly part: only when nothing else holds the verdict back.
  if (waiting_for_.empty()) waiting_for_ = unmet(rule_, assess());
  if (waiting_for_.empty()) return SteadyVerdict::steady;
  return windows_ >= rule_.max_windows ? SteadyVerdict::cap_reached : SteadyVerdict::not_yet;
}

Incidence SteadyWatch::incidence() const {
  Incidence incidence(windows_);
  for (const auto& [id, windows] : items_) (void)incidence.add(windows);  // in range by construction
  return incidence;
}

IncidenceCounts SteadyWatch::counts() const {
  return count_incidence(incidence());
}

Completeness SteadyWatch::assess() const {
  return assess_completeness(incidence(), rule_);
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
    result.steady_state = unmet(rule, counts, quiet).empty() && unmet(rule, result).empty();
  }
  return result;
}

}  // namespace hap
