// Completeness: how much of what would have been seen was seen.
//
// A phase is cut into windows (the sampling units). An item (a function, a line) is described by the windows
// it was seen in; how often it ran inside a window does not matter. From the number of items seen in exactly
// one, two, three... windows the functions here estimate what was not seen, with an interval, and say when
// the data do not support such a statement. All of them are pure: no I/O, no clock; what is random takes a
// seed.
//
// The model: windows are exchangeable, and item i is in each of them with its own probability p_i. The p_i
// may differ a lot, but not without limit: no method can see items that are far rarer than all observed ones
// (Mao & Lindsay, Annals of Statistics 35, 2007). Where the data show that the limit is passed, `warnings`
// says so, and the upper end of the interval must then be read as a lower bound. docs/metrics.md has the
// measured coverage of every interval.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "hap/interval.h"
#include "hap/result.h"

namespace hap {

// Which windows each item was seen in. Items are anonymous: 0, 1, 2... in the order of add().
class Incidence {
 public:
  // Of that many windows, without items yet.
  explicit Incidence(std::uint32_t windows) : windows_(windows), offsets_{0} {}

  // One item's windows, each in [0, windows()); order and repetitions do not matter. An item seen in no
  // window is not kept. Fails, and adds nothing, when a window is out of range.
  Status add(std::span<const std::uint32_t> seen_in);

  // How many windows there are.
  std::uint32_t windows() const { return windows_; }
  // How many items there are.
  std::size_t items() const { return offsets_.size() - 1; }
  // The windows of an item, ascending and distinct.
  std::span<const std::uint32_t> windows_of(std::size_t item) const {
    return std::span(positions_).subspan(offsets_[item], offsets_[item + 1] - offsets_[item]);
  }

 private:
  std::uint32_t windows_;
  std::vector<std::uint32_t> positions_;
  std::vector<std::size_t> offsets_;
};

// Incidence reduced to frequency counts, all that most estimators need.
struct IncidenceCounts {
  std::uint32_t windows = 0;     // T
  std::uint64_t items = 0;       // S_obs
  std::uint64_t incidences = 0;  // U, the sum of all items' window counts
  // q[k]: items seen in exactly k windows, k = 0..T; q[0] is always 0.
  std::vector<std::uint64_t> q;

  // Items seen in one window only.
  std::uint64_t uniques() const { return q.size() > 1 ? q[1] : 0; }
  // Items seen in two windows.
  std::uint64_t duplicates() const { return q.size() > 2 ? q[2] : 0; }
};

// How many items were seen in how many windows.
IncidenceCounts count_incidence(const Incidence& incidence);
// From each item's number of windows. Zeroes are ignored, numbers above `windows` are refused.
Result<IncidenceCounts> count_incidence(std::uint32_t windows,
                                        std::span<const std::uint32_t> windows_per_item);

// Expected number of distinct items in a random subset of t of the T windows, for t = 1..T:
//   S(t) = S_obs - sum_k q_k C(T-k, t) / C(T, t)
// (sample-based rarefaction: Shinozaki 1963; Mao, Colwell & Chang, Ecology 86, 2005). Exact, no resampling.
std::vector<double> accumulation_curve(const IncidenceCounts& counts);

// Good-Turing sample coverage for incidence data: the share of all incidences of one further window that
// falls on items already seen,
//   C = 1 - Q1/U * (T-1) Q1 / ((T-1) Q1 + 2 Q2)
// (Chao & Jost, Ecology 93, 2012, eq. 4a there, in the incidence form of Chao et al., Ecological Monographs
// 84, 2014, table 2); with Q2 = 0 the bias-corrected form with Q2 -> 1 and Q1 -> Q1 - 1 in the second factor.
// Null with fewer than two windows or nothing seen. Items seen in every window dominate it: a coverage of 99
// % says little about how many rare items are missing; that is what estimate_unseen() is for.
std::optional<double> sample_coverage(const IncidenceCounts& counts);

// Chao2, bias-corrected: unseen items, f0 = (T-1)/T Q1 (Q1-1) / (2 (Q2+1)), with Chao's variance and the
// log-normal interval of Chao (Biometrics 43, 1987; formulas as in EstimateS 9, eq. 8, 11, 13). A lower bound
// of the expected number when the p_i differ. With `dispersion` c > 1, of groups of c items: see below. Null
// with fewer than two windows.
std::optional<Interval> chao2_unseen(const IncidenceCounts& counts, double dispersion = 1);

// Variance inflation for items that are seen together. The formulas take items for independent, but code
// comes in paths: one rare event shows twenty functions at once. The number of rare incidences (items seen in
// at most three windows) per window then varies more than a Poisson count would; the ratio of its variance to
// its mean, at least 1, estimates the mean size c of such groups (the variance inflation factor c-hat:
// Burnham & Anderson, Model Selection, 2002, sec. 2.5). The estimators below count groups, Q1/c and Q2/c, and
// multiply the result by c. Windows of unequal activity raise c too, which errs on the wide side.
double rare_dispersion(const Incidence& incidence);

// A reason not to trust an interval.
enum class CompletenessWarning {
  too_few_windows,     // fewer than kMinWindows: no interval
  rare_items_unequal,  // detection rates of rare items differ beyond what the interval covers: upper end too
                       // low
  low_coverage,        // more of the items are estimated unseen than seen
  window_dependent,    // the estimate changes with the window size: hits are bunched or periodic
  few_events,          // rare items came in a few large bursts: the upper end is a lower bound
  still_growing,       // late windows bring more new items than a random order would: not a steady state
};
// The warning as a sentence.
std::string describe(CompletenessWarning warning);

// Fewer windows than this allow no estimate.
inline constexpr std::uint32_t kMinWindows = 5;

// Items that exist (would be seen in an endless continuation of the same phase) but were not seen.
struct UnseenEstimate {
  double value = 0;                           // Chao2
  double low = 0;                             // 95 % interval, see estimate_unseen
  double high = 0;                            // upper bound, 95 %
  Interval chao2;                             // Chao2 with its classic log-normal interval
  double dispersion = 1;                      // the inflation that was applied
  std::vector<CompletenessWarning> warnings;  // what stands against the estimate
};

// Chao2's own interval is too low when the p_i differ (it covers the truth in 1 to 60 % of trials on
// populations as mild as uniform p). So the interval given is the union of it and of a profile-likelihood
// interval under a beta-binomial model of the items seen in at most ten windows, p ~ Beta(a, b) with a >= 0.4
// (that is, detection rates of rare items with a coefficient of variation up to about 1.6), for the number of
// items in cell zero given those in cells 1..10. The beta-binomial is the usual model of unequal capture
// probabilities (Dorazio & Royle, Biometrics 59, 2003); cutting at ten follows ICE (Lee & Chao, Biometrics
// 50, 1994). Rounded outwards to whole items. When nothing was seen exactly once, `high` is that of 3.7
// unseen uniques (the exact Poisson upper bound for none seen). With fewer than ten groups of rare items
// there is nothing to fit: then the interval is Chao2's alone, with the warning few_events. Null with fewer
// than kMinWindows windows or nothing seen.
std::optional<UnseenEstimate> estimate_unseen(const IncidenceCounts& counts, double dispersion = 1);

// New items expected when the same phase goes on to `factor` times its length (factor > 1), with a prediction
// interval: S(T + t*) - S_obs = f0 [1 - (1 - Q1 / (T f0 + Q1))^t*] (Chao et al. 2014, eq. 18) at the estimate
// and at the ends of its interval, plus the Poisson scatter of the count itself.
Interval predict_growth(const IncidenceCounts& counts, const UnseenEstimate& unseen, double factor);

// The estimate at one window size.
struct WindowSizeEstimate {
  std::uint32_t merged = 1;   // windows merged into one
  std::uint32_t windows = 0;  // after merging
  Interval unseen;            // Chao2 and its interval
  double p_value = 1;         // of this estimate among those from merging windows in random order
};
// Whether the estimate depends on the size of the windows.
struct WindowInvariance {
  bool checked = false;    // false: too few windows to merge
  bool invariant = false;  // no size's p-value is below 0.01 (two-sided, Bonferroni over the sizes)
  std::vector<WindowSizeEstimate> sizes;  // one for each size that was tried
};
// Merges 2, 4 and 8 adjacent windows, as long as kMinWindows are left, and estimates again. If windows are
// exchangeable, adjacent windows are as good as random ones, so the estimate must look like those from random
// merges: a permutation test, exact at its level whatever the p_i. Bursts longer than a window and regular
// timers fail it.
WindowInvariance check_window_invariance(const Incidence& incidence, std::uint64_t seed = 1,
                                         std::uint32_t permutations = 999);

// Does the order of windows matter? Compares the sum over items of (first window seen) with its distribution
// under random window order (permutation test, one-sided: late first sightings). A small value: still warming
// up or drifting.
double growth_trend_p_value(const Incidence& incidence, std::uint64_t seed = 1,
                            std::uint32_t permutations = 999);

// When a phase may stop.
struct SteadyRule {
  std::uint32_t min_windows = 10;   // floor
  std::uint32_t max_windows = 120;  // cap
  double coverage = 0.99;           // Good-Turing coverage to reach
  // This many windows in a row must have added nothing new, and this share of all windows so far: code that
  // comes in bursts (one timer, fifty functions) is quiet for long between them.
  std::uint32_t quiet_windows = 1;
  double quiet_share = 1.0 / 3;  // of the windows, without anything new at the end
  // And four times the length is to add at most this share of the items: the estimate of predict_growth, a
  // lower bound, must be at most half of it. Timers that have not fired are the business of min_windows. With
  // few bursts its upper end is higher; no rule can lower that.
  double growth_factor = 4;
  double growth_limit = 0.02;  // growth from which on the end is not reached
};

// Go on, stop, or stop unsteady because there are enough windows.
enum class SteadyVerdict { not_yet, steady, cap_reached };

// All of the above for one phase, as the reports show it.
struct Completeness {
  std::uint32_t windows = 0;             // looked at
  std::uint64_t seen = 0;                // items seen
  std::optional<double> coverage;        // null: too few windows
  std::optional<UnseenEstimate> unseen;  // null: too few windows
  std::optional<Interval> growth;        // new items when continued to rule.growth_factor times the length
  std::optional<bool> steady_state;      // null: too few windows to say
  WindowInvariance invariance;           // see WindowInvariance
  std::vector<double> curve;             // accumulation_curve
  std::vector<CompletenessWarning> warnings;  // what stands against the figures
};
// Where the estimate depends on the window size, the interval is widened to the union over the sizes.
Completeness assess_completeness(const Incidence& incidence, const SteadyRule& rule = {},
                                 std::uint64_t seed = 1);

// Follows a phase while it runs: call observe() after each window.
class SteadyWatch {
 public:
  // Starts without any window.
  explicit SteadyWatch(SteadyRule rule) : rule_(rule) {}

  // Items (any stable numbers) seen in the window that just ended; repetitions do not matter. The verdict is
  // that of assess() once the cheap conditions hold.
  SteadyVerdict observe(std::span<const std::uint64_t> items_seen);

  // Windows observed.
  std::uint32_t windows() const { return windows_; }
  // Windows since something new was seen.
  std::uint32_t quiet() const { return quiet_; }
  // Items seen so far.
  std::size_t items() const { return items_.size(); }
  // Of all windows observed.
  IncidenceCounts counts() const;
  // What the windows observed say.
  Completeness assess() const;
  // What holds the verdict back, in words; empty when steady.
  std::string waiting_for() const { return waiting_for_; }

 private:
  Incidence incidence() const;

  SteadyRule rule_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> items_;  // the windows of each
  std::uint32_t windows_ = 0;
  std::uint32_t quiet_ = 0;
  std::string waiting_for_;
};

}  // namespace hap
