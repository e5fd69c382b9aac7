#include <algorithm>
#include <array>
#include <cmath>

#include "hap/completeness.h"
#include "measure/beta_binomial.h"

namespace hap {
namespace {

constexpr double kNormal95 = 1.959963984540054;
// 95 %: half the 0.95 quantile of chi-squared with one degree of freedom.
constexpr double kProfileDrop = 1.920729410347062;
// Items seen in more windows than this are frequent: they carry no information on the unseen ones.
constexpr std::uint32_t kRareCells = 10;
constexpr double kSmallestShape = 0.4;
// Upper end of the exact two-sided 95 % interval of a Poisson mean when nothing was counted: -ln(0.025).
constexpr double kNoneSeenUpper = 3.688879454113936;
// A little above kSmallestShape, so that populations which the interval does not cover are flagged at the
// price of flagging some that it does (rates in docs/metrics.md).
constexpr double kCautionShape = 0.6;

// Chao (1987): T = S^ - S_obs is taken to be log-normal, so that the lower end stays above what was seen.
Interval log_normal_interval(double f0, double variance) {
  const double k = std::exp(kNormal95 * std::sqrt(std::log1p(variance / (f0 * f0))));
  return {f0, f0 / k, f0 * k};
}

// With fewer groups of rare items than this the likelihood of the beta-binomial says nothing.
constexpr double kFewestGroups = 10;

}  // namespace

std::string describe(CompletenessWarning warning) {
  switch (warning) {
    case CompletenessWarning::too_few_windows:
      return "fewer than " + std::to_string(kMinWindows) + " windows: what was not seen cannot be estimated";
    case CompletenessWarning::rare_items_unequal:
      return "rare items differ too much in how often they run: the interval's upper end is a lower bound";
    case CompletenessWarning::few_events:
      return "rare items came in a few large bursts: too few independent events to bound what was not seen";
    case CompletenessWarning::low_coverage:
      return "much of what is rare was seen only once: the interval's upper end is a lower bound";
    case CompletenessWarning::window_dependent:
      return "the estimate depends on the window size (hits are bunched or periodic): the interval spans all "
             "sizes";
    case CompletenessWarning::still_growing:
      return "late windows add more than a steady state would: this phase had not settled";
  }
  return "unknown";
}

std::optional<Interval> chao2_unseen(const IncidenceCounts& counts, double dispersion) {
  if (counts.windows < 2) return std::nullopt;
  const double t = counts.windows;
  const double a = (t - 1) / t;
  const double q1 = static_cast<double>(counts.uniques()) / dispersion;
  const double q2 = static_cast<double>(counts.duplicates()) / dispersion;
  const double f0 = a * q1 * (q1 - 1) / (2 * (q2 + 1));
  if (f0 <= 0) return Interval{0, 0, dispersion * a * kNoneSeenUpper * kNoneSeenUpper / (2 * (q2 + 1))};
  const double variance = f0 + a * a * q1 * (2 * q1 - 1) * (2 * q1 - 1) / (4 * (q2 + 1) * (q2 + 1)) +
                          a * a * q1 * q1 * q2 * (q1 - 1) * (q1 - 1) / (4 * std::pow(q2 + 1, 4));
  const Interval groups = log_normal_interval(f0, variance);
  return Interval{dispersion * groups.value, dispersion * groups.low, dispersion * groups.high};
}

std::optional<UnseenEstimate> estimate_unseen(const IncidenceCounts& counts, double dispersion) {
  if (counts.windows < kMinWindows || counts.items == 0) return std::nullopt;
  const auto chao2 = chao2_unseen(counts, dispersion);
  if (!chao2) return std::nullopt;

  // Groups of items that come together are what is counted; their number times their size is the answer.
  std::array<double, kRareCells> rare{};
  const std::uint32_t cells = std::min(kRareCells, counts.windows);
  double rare_groups = 0;
  double rare_incidences = 0;
  for (std::uint32_t k = 1; k <= cells; ++k) {
    rare[k - 1] = static_cast<double>(counts.q[k]) / dispersion;
    rare_groups += rare[k - 1];
    rare_incidences += k * rare[k - 1];
  }
  const measure::RareItemsModel model(counts.windows, std::span(rare).first(cells), kSmallestShape);

  UnseenEstimate estimate;
  estimate.value = chao2->value;
  estimate.chao2 = *chao2;
  estimate.dispersion = dispersion;
  estimate.low = std::floor(chao2->low);
  estimate.high = std::ceil(chao2->high);
  const bool few_groups = dispersion > 2 && rare_groups < kFewestGroups;
  if (few_groups) {
    estimate.warnings.push_back(CompletenessWarning::few_events);
  } else {
    const auto bounds = model.profile_interval(kProfileDrop);
    estimate.low = std::min(estimate.low, std::floor(dispersion * bounds.low));
    estimate.high = std::max(estimate.high, std::ceil(dispersion * bounds.high));
    if (model.most_likely_a_below(kCautionShape)) {
      estimate.warnings.push_back(CompletenessWarning::rare_items_unequal);
    }
  }
  if (rare_incidences > 0 && rare[0] / rare_incidences > 0.5) {
    estimate.warnings.push_back(CompletenessWarning::low_coverage);
  }
  return estimate;
}

Interval predict_growth(const IncidenceCounts& counts, const UnseenEstimate& unseen, double factor) {
  const double t = counts.windows;
  const double further = std::max(0.0, factor - 1) * t;
  const auto growth = [&](double f0, double q1) {
    if (f0 <= 0 || q1 <= 0) return 0.0;
    return f0 * (1 - std::pow(1 - q1 / (t * f0 + q1), further));
  };
  const auto q1 = static_cast<double>(counts.uniques());
  // The slope of the curve at T is Q1 / T; at the ends of the interval it has its own uncertainty.
  const double scatter = kNormal95 * std::sqrt(q1 * unseen.dispersion);
  const double q1_low = std::max(0.0, q1 - scatter);
  const double q1_high = q1 + scatter + kNoneSeenUpper * unseen.dispersion;
  Interval result;
  result.value = growth(unseen.value, q1);
  const double low = growth(unseen.low, q1_low);
  const double high = growth(unseen.high, q1_high);
  result.low = std::max(0.0, std::floor(low - kNormal95 * std::sqrt(low * unseen.dispersion)));
  result.high = std::ceil(std::min(unseen.high, high + kNormal95 * std::sqrt(high * unseen.dispersion)));
  result.value = std::clamp(result.value, result.low, std::max(result.low, result.high));
  return result;
}

}  // namespace hap
