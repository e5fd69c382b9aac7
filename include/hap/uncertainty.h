// Uncertainty of a repeated measurement: how far its mean can be trusted, and how probable it is that one
// sandbox is below another.
//
// The design: a machine is booted several times, with its randomness reseeded, and each boot is measured
// several times from its checkpoint. Repeats of one boot share that boot's luck (layout of memory, timers,
// caches), so they are not independent: treating 15 repeats of 3 boots as 15 samples gives intervals that are
// far too narrow. Everything here resamples boots first and repeats within them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hap/interval.h"

namespace hap {

// One measurement of a cell. `low` and `high` bound what losses and unseen code could make of it
// (low <= value <= high; equal when nothing is missing).
struct Repeat {
  std::string boot;  // which boot; equal text = same boot
  double value = 0;  // of the recording
  double low = 0;    // of the recording, from losses and unseen code
  double high = 0;   // of the recording, from losses and unseen code
};

// Fewer boots than this give no interval.
inline constexpr std::size_t kMinBoots = 3;

// What the repeats of one cell say.
struct Spread {
  std::size_t boots = 0;    // distinct ones
  std::size_t repeats = 0;  // recordings
  double mean = 0;          // of the boots' means, each boot counting alike
  // Standard deviations of a repeat within its boot and of boots beyond that: the components of a one-way
  // random-effects analysis of variance, unbalanced form (Searle, Casella & McCulloch, Variance Components,
  // 1992, ch. 3.6), the latter cut at 0. Null: no boot has two repeats; fewer than two boots.
  std::optional<double> within;
  std::optional<double> between;  // null: too few boots
  // 95 % interval of the mean over boots and repeats, then widened by the mean distance from value to low and
  // from value to high. Null with fewer than kMinBoots boots: `not_enough` says so in a sentence.
  std::optional<Interval> interval;
  std::string not_enough;  // why there is no interval; empty: there is
  // True when every repeat gave the same value: then the interval shows no spread because none was there to
  // see (a machine that is repeatable to the instruction), not because the mean is certain.
  bool no_variation = false;
};

// Draws of a cell's mean. Each draw takes as many boots as there are, with replacement, then within each as
// many repeats, with replacement (hierarchical bootstrap: Davison & Hinkley, Bootstrap Methods, 1997,
// sec. 3.8). With three boots a plain bootstrap is much too narrow, so the deviation from the mean is
// rescaled to the unbiased variance of the mean of boots, and divided by sqrt(chi2(B-1)/(B-1)), which makes
// the draws follow Student's t with B-1 degrees of freedom, as the mean of B boots does. docs/metrics.md has
// the coverage.
//
// Cells whose boots carry the same names are drawn with the same boots in each draw when they are given the
// same seed: their difference then profits from being measured side by side. `count` draws; empty with fewer
// than kMinBoots boots.
std::vector<double> draw_means(std::span<const Repeat> repeats, std::size_t count, std::uint64_t seed);

// The same plus what is missing: to each draw a triangular deviate is added, most likely 0, as far down as
// the mean distance to low and as far up as that to high. `missing_seed` should differ between cells: what
// one misses says nothing about what another misses.
std::vector<double> draw_true_means(std::span<const Repeat> repeats, std::size_t count, std::uint64_t seed,
                                    std::uint64_t missing_seed);

// Deterministic for a seed; `draws` of the bootstrap.
Spread measure_spread(std::span<const Repeat> repeats, std::uint64_t seed = 1, std::size_t draws = 4000);

// Share of pairs of draws in which a is below b, ties counting half. Draws are paired by position. Null when
// either is empty.
std::optional<double> probability_below(std::span<const double> a, std::span<const double> b);

// The q-quantile (0..1) by linear interpolation; values need not be sorted. Null when empty.
std::optional<double> quantile(std::span<const double> values, double q);

// Kendall's tau-b of two sequences of scores of the same things, corrected for ties (Kendall, Biometrika 33,
// 1945). 1: same order, -1: reverse. Null with fewer than two things or when one side is all ties.
std::optional<double> kendall_tau_b(std::span<const double> a, std::span<const double> b);

}  // namespace hap
