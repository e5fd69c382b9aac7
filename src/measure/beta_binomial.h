// The beta-binomial model of the items seen in few windows: internal to the completeness estimators.
#pragma once

#include <span>

namespace hap::measure {

// The number of items in cell 0, given those in cells 1..K (seen in 1..K of T windows), when each item's
// probability per window is drawn from Beta(a, b). Counts beyond K are left out of the model: they belong to
// frequent items, which say nothing about the unseen ones.
class RareItemsModel {
 public:
  // `counts[k-1]` items were seen in k windows. K = counts.size() <= 16 and K <= windows.
  RareItemsModel(double windows, std::span<const double> counts, double smallest_a);

  struct Bounds {
    double estimate = 0;
    double low = 0;
    double high = 0;
  };
  // Profile-likelihood interval: all f0 whose log-likelihood, maximised over a >= smallest_a and b, is within
  // `drop` of the maximum (1.92 for 95 %; times the variance inflation when items are not independent).
  Bounds profile_interval(double drop) const;

  // Is the most likely `a` (conditional on being seen) below `limit`? Then the density of detection rates
  // rises so steeply towards zero that what was seen bounds what was not from below only.
  bool most_likely_a_below(double limit) const;

 private:
  struct Point {
    double log_excess;  // log(a - smallest_a)
    double logit_mean;  // logit of a / (a + b)
  };
  double log_likelihood(double f0, double a, double b) const;
  double conditional_log_likelihood(double a, double b) const;
  // Maximum over the parameters; `start` is where to begin and receives where it ended.
  double profile(double f0, Point& start) const;
  double conditional_maximum(double a) const;
  Point initial_point() const;

  double windows_;
  std::span<const double> counts_;
  double smallest_a_;
  double seen_ = 0;
  double mean_windows_ = 0;  // mean number of windows of the seen items
};

}  // namespace hap::measure
