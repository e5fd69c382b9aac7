#include "hap/baseline.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace hap {
namespace {

constexpr double kNormal95 = 1.959963984540054;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Up to this ratio a function of the idle machine counts as background: with the workload running it may well
// come somewhat more often without being part of what the workload needs.
constexpr double kBackgroundRatio = 2;

// The logarithm of a rate per second, with its interval.
struct LogRate {
  double value = 0;
  double low = -kInfinity;
  double high = kInfinity;
};

double log_rate(double p, double seconds) {
  if (p <= 0) return -kInfinity;
  if (p >= 1) return kInfinity;
  return std::log(-std::log1p(-p) / seconds);
}

LogRate estimate(std::uint32_t seen, const WindowSpan& span) {
  const double n = span.windows;
  const double k = std::min<double>(seen, n);
  const double z2 = kNormal95 * kNormal95;
  const double centre = (k + z2 / 2) / (n + z2);
  const double half = kNormal95 / (n + z2) * std::sqrt(k * (n - k) / n + z2 / 4);
  LogRate rate;
  // Half a window more and half a window less than observed keep the estimate finite at both ends.
  rate.value = log_rate((k + 0.5) / (n + 1), span.seconds);
  rate.low = k == 0 ? -kInfinity : log_rate(centre - half, span.seconds);
  rate.high = k == n ? kInfinity : log_rate(centre + half, span.seconds);
  return rate;
}

Origin origin_of(const RateRatio& ratio, std::uint32_t seen_idle) {
  if (ratio.low > 1) return Origin::workload;
  if (seen_idle > 0 && ratio.high && *ratio.high <= kBackgroundRatio) return Origin::background;
  return Origin::undecided;
}

}  // namespace

std::string to_string(Origin origin) {
  switch (origin) {
    case Origin::workload:
      return "workload";
    case Origin::background:
      return "background";
    case Origin::undecided:
      return "undecided";
  }
  return "undecided";
}

std::optional<RateRatio> rate_ratio(std::uint32_t seen_working, const WindowSpan& working,
                                    std::uint32_t seen_idle, const WindowSpan& idle) {
  if (working.windows == 0 || idle.windows == 0 || working.seconds <= 0 || idle.seconds <= 0)
    return std::nullopt;
  const LogRate a = estimate(seen_working, working);
  const LogRate b = estimate(seen_idle, idle);
  const double difference = a.value - b.value;
  RateRatio ratio;
  ratio.value = std::exp(difference);
  ratio.low = std::exp(difference - std::hypot(a.value - a.low, b.high - b.value));
  const double high = std::exp(difference + std::hypot(a.high - a.value, b.value - b.low));
  if (std::isfinite(high)) ratio.high = high;
  return ratio;
}

BaselineComparison compare_with_baseline(std::span<const FunctionWindows> working,
                                         const WindowSpan& working_span,
                                         std::span<const FunctionWindows> idle, const WindowSpan& idle_span) {
  std::unordered_map<std::string, std::uint32_t> idle_windows;
  for (const FunctionWindows& function : idle) idle_windows.emplace(function.function, function.seen);
  BaselineComparison result;
  std::size_t shared = 0;
  for (const FunctionWindows& function : working) {
    BaselineFunction verdict;
    verdict.function = function.function;
    verdict.seen_working = function.seen;
    if (const auto found = idle_windows.find(function.function); found != idle_windows.end()) {
      verdict.seen_idle = found->second;
      ++shared;
    }
    if (const auto ratio = rate_ratio(verdict.seen_working, working_span, verdict.seen_idle, idle_span)) {
      verdict.ratio = *ratio;
      verdict.origin = origin_of(*ratio, verdict.seen_idle);
    }
    result.workload += verdict.origin == Origin::workload;
    result.background += verdict.origin == Origin::background;
    result.undecided += verdict.origin == Origin::undecided;
    result.functions.push_back(std::move(verdict));
  }
  result.only_idle = idle_windows.size() - shared;
  const auto low = static_cast<double>(result.workload);
  const auto undecided = static_cast<double>(result.undecided);
  result.attributable = {low + undecided / 2, low, low + undecided};
  return result;
}

}  // namespace hap
