#include "measure/beta_binomial.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hap::measure {
namespace {

constexpr std::size_t kMostCells = 17;
using Cells = std::array<double, kMostCells>;

// log of the cell probabilities 0..last, up to a common constant, and the log of their sum. Neighbouring
// cells of the beta-binomial differ by a rational factor, which spares the gamma functions:
//   P(k+1) / P(k) = (T-k)/(k+1) * (a+k)/(b+T-k-1)
double log_cells(double windows, double a, double b, std::size_t last, Cells& cells) {
  cells[0] = 0;
  double product = 1;
  double sum = 1;
  for (std::size_t i = 0; i < last; ++i) {
    const auto k = static_cast<double>(i);
    product *= (windows - k) / (k + 1) * (a + k) / (b + windows - k - 1);
    cells[i + 1] = product;
    sum += product;
  }
  for (std::size_t i = 1; i <= last; ++i) cells[i] = std::log(std::max(cells[i], 1e-300));
  return std::log(sum);
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

// Climbs by steps in eight directions that shrink when none of them helps; the surface is smooth with one
// ridge.
template <typename F>
double climb(F value, double& x, double& y, double smallest_step) {
  constexpr std::array<std::array<double, 2>, 8> kDirections{
      {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {1, -1}, {-1, 1}}};
  double best = value(x, y);
  double step = 0.7;
  while (step > smallest_step) {
    bool improved = false;
    for (const auto& [dx, dy] : kDirections) {
      const double nx = std::clamp(x + step * dx, -9.0, 9.0);
      const double ny = std::clamp(y + 0.5 * step * dy, -14.0, 6.0);
      const double v = value(nx, ny);
      if (v > best + 1e-9) {
        best = v;
        x = nx;
        y = ny;
        improved = true;
        break;
      }
    }
    if (!improved) step /= 2;
  }
  return best;
}

}  // namespace

RareItemsModel::RareItemsModel(double windows, std::span<const double> counts, double smallest_a)
    : windows_(windows),
      counts_(counts.first(std::min(counts.size(), kMostCells - 1))),
      smallest_a_(smallest_a) {
  double incidences = 0;
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    seen_ += counts_[k];
    incidences += counts_[k] * static_cast<double>(k + 1);
  }
  if (seen_ > 0) mean_windows_ = incidences / seen_;
}

double RareItemsModel::log_likelihood(double f0, double a, double b) const {
  Cells cells{};
  const double log_sum = log_cells(windows_, a, b, counts_.size(), cells);
  double sum = std::lgamma(seen_ + f0 + 1) - std::lgamma(f0 + 1) - f0 * log_sum;
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    if (counts_[k] > 0) sum += counts_[k] * (cells[k + 1] - log_sum);
  }
  return sum;
}

double RareItemsModel::conditional_log_likelihood(double a, double b) const {
  Cells cells{};
  const double log_sum = log_cells(windows_, a, b, counts_.size(), cells);
  const double log_seen = log_sum + std::log1p(-std::exp(-log_sum));  // cell 0 has weight 1
  double sum = 0;
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    if (counts_[k] > 0) sum += counts_[k] * (cells[k + 1] - log_seen);
  }
  return sum;
}

double RareItemsModel::profile(double f0, Point& at) const {
  const auto value = [&](double log_excess, double logit_mean) {
    const double a = smallest_a_ + std::exp(log_excess);
    const double mean = logistic(logit_mean);
    return log_likelihood(f0, a, a * (1 - mean) / mean);
  };
  return climb(value, at.log_excess, at.logit_mean, 0.004);
}

RareItemsModel::Point RareItemsModel::initial_point() const {
  const double mean = std::clamp(mean_windows_ / windows_, 1e-4, 0.9);
  return {1.0, std::log(mean / (1 - mean))};
}

RareItemsModel::Bounds RareItemsModel::profile_interval(double drop) const {
  if (seen_ == 0) return {};
  Point at = initial_point();
  // f0 is searched on the scale of log(f0 + 1/2), which gives "none" a finite place.
  const auto height = [&](double x) { return profile(std::exp(x) - 0.5, at); };
  const double bottom = std::log(0.5);
  const double top = std::log(50 * seen_ + 100);
  double best = -1e300;
  double mode = bottom;
  for (double x = bottom; x < top; x += 0.35) {
    const double v = height(x);
    if (v > best) {
      best = v;
      mode = x;
    }
  }
  for (double step = 0.2; step > 0.01; step /= 2) {
    for (double side : {-step, step}) {
      const double x = std::clamp(mode + side, bottom, top);
      const double v = height(x);
      if (v > best) {
        best = v;
        mode = x;
      }
    }
  }
  const double level = best - drop;
  const auto edge = [&](double inside, double outside) {
    if (height(outside) > level) return outside;
    for (int i = 0; i < 12; ++i) {
      const double middle = (inside + outside) / 2;
      (height(middle) > level ? inside : outside) = middle;
    }
    return outside;
  };
  Bounds bounds;
  bounds.estimate = std::exp(mode) - 0.5;
  bounds.low = std::exp(edge(mode, bottom)) - 0.5;
  bounds.high = std::exp(edge(mode, top)) - 0.5;
  return bounds;
}

double RareItemsModel::conditional_maximum(double a) const {
  double unused = 0;
  double logit_mean = initial_point().logit_mean;
  return climb(
      [&](double, double y) {
        const double mean = logistic(y);
        return conditional_log_likelihood(a, a * (1 - mean) / mean);
      },
      unused, logit_mean, 0.004);
}

bool RareItemsModel::most_likely_a_below(double limit) const {
  if (seen_ == 0) return false;
  double above = -1e300;
  for (double factor : {1.0, 1.5, 2.5, 5.0, 20.0, 1000.0}) {
    above = std::max(above, conditional_maximum(limit * factor));
  }
  double below = -1e300;
  for (double factor : {0.7, 0.4, 0.2, 0.05, 0.01}) {
    below = std::max(below, conditional_maximum(limit * factor));
  }
  return below > above;
}

}  // namespace hap::measure
