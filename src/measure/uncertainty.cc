#include "hap/uncertainty.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "measure/random.h"

namespace hap {
namespace {

using measure::Random;

// The values of each boot, in the order of the boots' names.
std::vector<std::vector<double>> by_boot(std::span<const Repeat> repeats) {
  std::map<std::string, std::vector<double>> boots;
  for (const Repeat& repeat : repeats) boots[repeat.boot].push_back(repeat.value);
  std::vector<std::vector<double>> values;
  values.reserve(boots.size());
  for (auto& [name, boot] : boots) values.push_back(std::move(boot));
  return values;
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double squared_deviations(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

// The factor that turns the bootstrap's variance of the mean into the unbiased one, s^2(boot means) / B. The
// bootstrap's own is (B-1)/B of that from the boots, plus the repeats' share, which the boots' means contain
// already: sum over boots of ss_b / n_b^2, divided by B^2.
double rescaling(const std::vector<std::vector<double>>& boots, std::span<const double> means) {
  const auto count = static_cast<double>(boots.size());
  const double unbiased = squared_deviations(means) / (count - 1) / count;
  double bootstrap = squared_deviations(means) / count / count;
  for (const auto& boot : boots) {
    const auto n = static_cast<double>(boot.size());
    bootstrap += squared_deviations(boot) / (n * n) / (count * count);
  }
  return bootstrap > 0 ? std::sqrt(unbiased / bootstrap) : 0;
}

double triangular(Random& random, double down, double up) {
  if (down + up <= 0) return 0;
  const double u = random.uniform();
  const double left = down / (down + up);
  if (u < left) return -down + std::sqrt(u * (down + up) * down);
  return up - std::sqrt((1 - u) * (down + up) * up);
}

struct Gaps {
  double down = 0;
  double up = 0;
};
Gaps mean_gaps(std::span<const Repeat> repeats) {
  Gaps gaps;
  for (const Repeat& repeat : repeats) {
    gaps.down += std::max(0.0, repeat.value - repeat.low);
    gaps.up += std::max(0.0, repeat.high - repeat.value);
  }
  gaps.down /= static_cast<double>(repeats.size());
  gaps.up /= static_cast<double>(repeats.size());
  return gaps;
}

void variance_components(const std::vector<std::vector<double>>& boots, Spread& spread) {
  const auto count = static_cast<double>(boots.size());
  const auto total = static_cast<double>(spread.repeats);
  if (spread.repeats <= boots.size()) return;
  double within_squares = 0;
  double sum_of_squared_sizes = 0;
  double grand = 0;
  for (const auto& boot : boots) {
    within_squares += squared_deviations(boot);
    sum_of_squared_sizes += static_cast<double>(boot.size() * boot.size());
    grand += std::accumulate(boot.begin(), boot.end(), 0.0);
  }
  grand /= total;
  const double within_mean_square = within_squares / (total - count);
  spread.within = std::sqrt(within_mean_square);
  if (boots.size() < 2) return;
  double between_squares = 0;
  for (const auto& boot : boots) {
    const double deviation = mean_of(boot) - grand;
    between_squares += static_cast<double>(boot.size()) * deviation * deviation;
  }
  const double between_mean_square = between_squares / (count - 1);
  const double typical_size = (total - sum_of_squared_sizes / total) / (count - 1);
  spread.between = std::sqrt(std::max(0.0, (between_mean_square - within_mean_square) / typical_size));
}

}  // namespace

std::vector<double> draw_means(std::span<const Repeat> repeats, std::size_t count, std::uint64_t seed) {
  const auto boots = by_boot(repeats);
  if (boots.size() < kMinBoots) return {};
  std::vector<double> means;
  means.reserve(boots.size());
  for (const auto& boot : boots) means.push_back(mean_of(boot));
  const double mean = mean_of(means);
  const double scale = rescaling(boots, means);
  const auto degrees = static_cast<double>(boots.size() - 1);

  // Boots and the scale come from one sequence, repeats from another: cells with the same boots and seed then
  // draw the same boots, however many repeats each has.
  Random choose_boot(seed);
  Random choose_repeat(seed ^ 0x5bf0363546ae8a1dULL);
  std::vector<double> draws(count);
  for (double& draw : draws) {
    double sum = 0;
    for (std::size_t i = 0; i < boots.size(); ++i) {
      const auto& boot = boots[choose_boot.below(boots.size())];
      double within = 0;
      for (std::size_t j = 0; j < boot.size(); ++j) within += boot[choose_repeat.below(boot.size())];
      sum += within / static_cast<double>(boot.size());
    }
    const double deviation = sum / static_cast<double>(boots.size()) - mean;
    // Not gamma(): it may reject and would put the two sequences out of step; B-1 squared normals do not.
    double chi_squared = 0;
    for (std::size_t i = 0; i + 1 < boots.size(); ++i) {
      const double z = choose_boot.normal();
      chi_squared += z * z;
    }
    draw = mean + deviation * scale / std::sqrt(std::max(chi_squared, 1e-12) / degrees);
  }
  return draws;
}

std::vector<double> draw_true_means(std::span<const Repeat> repeats, std::size_t count, std::uint64_t seed,
                                    std::uint64_t missing_seed) {
  std::vector<double> draws = draw_means(repeats, count, seed);
  if (draws.empty()) return draws;
  const Gaps gaps = mean_gaps(repeats);
  Random random(missing_seed);
  for (double& draw : draws) draw += triangular(random, gaps.down, gaps.up);
  return draws;
}

Spread measure_spread(std::span<const Repeat> repeats, std::uint64_t seed, std::size_t draws) {
  Spread spread;
  spread.repeats = repeats.size();
  if (repeats.empty()) {
    spread.not_enough = "nothing was measured";
    return spread;
  }
  const auto boots = by_boot(repeats);
  spread.boots = boots.size();
  double sum = 0;
  for (const auto& boot : boots) sum += mean_of(boot);
  spread.mean = sum / static_cast<double>(boots.size());
  spread.no_variation =
      repeats.size() > 1 && std::all_of(repeats.begin(), repeats.end(),
                                        [&](const Repeat& r) { return r.value == repeats.front().value; });
  variance_components(boots, spread);
  if (boots.size() < kMinBoots) {
    spread.not_enough = std::to_string(boots.size()) + (boots.size() == 1 ? " boot" : " boots") +
                        " of at least " + std::to_string(kMinBoots) + ": not enough for an interval";
    return spread;
  }
  const std::vector<double> means = draw_means(repeats, draws, seed);
  const Gaps gaps = mean_gaps(repeats);
  spread.interval = Interval{spread.mean, std::min(*quantile(means, 0.025), spread.mean) - gaps.down,
                             std::max(*quantile(means, 0.975), spread.mean) + gaps.up};
  return spread;
}

std::optional<double> probability_below(std::span<const double> a, std::span<const double> b) {
  const std::size_t count = std::min(a.size(), b.size());
  if (count == 0) return std::nullopt;
  double below = 0;
  for (std::size_t i = 0; i < count; ++i) below += a[i] < b[i] ? 1.0 : a[i] == b[i] ? 0.5 : 0.0;
  return below / static_cast<double>(count);
}

std::optional<double> quantile(std::span<const double> values, double q) {
  if (values.empty()) return std::nullopt;
  std::vector<double> sorted(values.begin(), values.end());
  const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<std::size_t>(place);
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(index);
  std::nth_element(sorted.begin(), nth, sorted.end());
  if (index + 1 == sorted.size()) return *nth;
  const double next = *std::min_element(nth + 1, sorted.end());
  return *nth + (next - *nth) * (place - static_cast<double>(index));
}

std::optional<double> kendall_tau_b(std::span<const double> a, std::span<const double> b) {
  const std::size_t count = std::min(a.size(), b.size());
  double agreement = 0;
  double pairs_a = 0;  // pairs not tied in a
  double pairs_b = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = i + 1; j < count; ++j) {
      const int sign_a = (a[i] < a[j]) - (a[j] < a[i]);
      const int sign_b = (b[i] < b[j]) - (b[j] < b[i]);
      agreement += sign_a * sign_b;
      pairs_a += sign_a != 0;
      pairs_b += sign_b != 0;
    }
  }
  if (pairs_a == 0 || pairs_b == 0) return std::nullopt;
  return agreement / std::sqrt(pairs_a * pairs_b);
}

}  // namespace hap
