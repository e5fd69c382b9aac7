#include "hap/uncertainty.h"

#include <gtest/gtest.h>

#include <cmath>

#include "measure/random.h"

namespace hap {
namespace {

Repeat exact(std::string boot, double value) {
  return {std::move(boot), value, value, value};
}

TEST(Spread, OneBootGivesAMeanButNoInterval) {
  const std::vector<Repeat> repeats{exact("1", 10), exact("1", 12), exact("1", 14)};
  const Spread spread = measure_spread(repeats);
  EXPECT_EQ(spread.mean, 12);
  EXPECT_FALSE(spread.interval.has_value());
  EXPECT_EQ(spread.not_enough, "1 boot of at least 3: not enough for an interval");
  ASSERT_TRUE(spread.within.has_value());
  EXPECT_NEAR(*spread.within, 2, 1e-12);
  EXPECT_FALSE(spread.between.has_value());
  EXPECT_TRUE(draw_means(repeats, 100, 1).empty());
}

TEST(Spread, NothingMeasuredIsSaid) {
  const Spread spread = measure_spread({});
  EXPECT_FALSE(spread.interval.has_value());
  EXPECT_FALSE(spread.not_enough.empty());
}

// Boots 10,12 / 20,22 / 30,32: within mean square 2; between mean square 2 * 100 = 200; component (200-2)/2
// = 99.
TEST(Spread, SeparatesWithinFromBetween) {
  const Spread spread = measure_spread(std::vector<Repeat>{exact("a", 10), exact("a", 12), exact("b", 20),
                                                           exact("b", 22), exact("c", 30), exact("c", 32)});
  ASSERT_TRUE(spread.within && spread.between && spread.interval);
  EXPECT_NEAR(*spread.within, std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(*spread.between, std::sqrt(99.0), 1e-12);
  EXPECT_EQ(spread.mean, 21);
  // Student's t with two degrees of freedom: 21 +- 4.30 * 10 / sqrt(3) = 21 +- 24.8.
  EXPECT_LT(spread.interval->low, 5);
  EXPECT_GT(spread.interval->high, 37);
}

TEST(Spread, OneRepeatPerBootLeavesTheWithinPartUnknown) {
  const Spread spread = measure_spread(std::vector<Repeat>{exact("a", 10), exact("b", 12), exact("c", 11)});
  EXPECT_FALSE(spread.within.has_value());
  EXPECT_FALSE(spread.between.has_value());
  EXPECT_TRUE(spread.interval.has_value());
}

TEST(Spread, IdenticalRepeatsAreFlagged) {
  const Spread spread = measure_spread(std::vector<Repeat>{exact("a", 7), exact("b", 7), exact("c", 7)});
  ASSERT_TRUE(spread.interval.has_value());
  EXPECT_TRUE(spread.no_variation);
  EXPECT_EQ(spread.interval->low, 7);
  EXPECT_EQ(spread.interval->high, 7);
}

TEST(Spread, LossesAndUnseenCodeWidenTheInterval) {
  std::vector<Repeat> repeats{exact("a", 7), exact("b", 7), exact("c", 7)};
  for (Repeat& repeat : repeats) repeat.high = 10;
  repeats[0].low = 4;
  const Spread spread = measure_spread(repeats);
  ASSERT_TRUE(spread.interval.has_value());
  EXPECT_EQ(spread.interval->low, 6);
  EXPECT_EQ(spread.interval->high, 10);
}

struct Design {
  int boots;
  int repeats;
  double between;  // relative to a within-boot standard deviation of 1
};

// Of 1,000 campaigns, how many intervals contain the true mean?
double interval_coverage(const Design& design) {
  measure::Random random(17);
  int covered = 0;
  constexpr int kTrials = 1000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Repeat> repeats;
    for (int b = 0; b < design.boots; ++b) {
      const double boot = 100 + design.between * random.normal();
      for (int r = 0; r < design.repeats; ++r)
        repeats.push_back(exact(std::to_string(b), boot + random.normal()));
    }
    const Spread spread = measure_spread(repeats, static_cast<std::uint64_t>(trial), 1000);
    covered += spread.interval->low <= 100 && 100 <= spread.interval->high;
  }
  return static_cast<double>(covered) / kTrials;
}

TEST(Spread, IntervalHoldsForThreeBootsAndMore) {
  for (const Design& design :
       {Design{3, 3, 0}, Design{3, 3, 2}, Design{3, 5, 1}, Design{5, 2, 1}, Design{8, 1, 3}}) {
    const double coverage = interval_coverage(design);
    RecordProperty("coverage", std::to_string(coverage));
    EXPECT_GE(coverage, 0.93) << design.boots << " boots x " << design.repeats << ", between "
                              << design.between;
    EXPECT_LE(coverage, 0.99) << design.boots << " boots x " << design.repeats << ", between "
                              << design.between;
  }
}

TEST(Probability, OfClearlyDifferentCellsIsNearOne) {
  const std::vector<Repeat> low{exact("1", 10), exact("1", 11), exact("2", 10), exact("2", 12),
                                exact("3", 11)};
  const std::vector<Repeat> high{exact("1", 50), exact("1", 51), exact("2", 50), exact("2", 52),
                                 exact("3", 51)};
  const auto p = probability_below(draw_means(low, 4000, 1), draw_means(high, 4000, 2));
  ASSERT_TRUE(p.has_value());
  EXPECT_GT(*p, 0.98);
}

TEST(Probability, OfTheSameCellIsAHalf) {
  const std::vector<Repeat> cell{exact("1", 10), exact("1", 14), exact("2", 9), exact("2", 12),
                                 exact("3", 11)};
  const auto p = probability_below(draw_means(cell, 4000, 1), draw_means(cell, 4000, 2));
  ASSERT_TRUE(p.has_value());
  EXPECT_NEAR(*p, 0.5, 0.03);
}

TEST(Probability, UnknownWithoutDraws) {
  EXPECT_FALSE(probability_below({}, std::vector<double>{1}).has_value());
}

// Boots differ much more than the sandboxes do; measured side by side in the same boots the order is still
// clear.
TEST(Probability, SharedBootsSharpenTheComparison) {
  std::vector<Repeat> a;
  std::vector<Repeat> b;
  for (int boot = 0; boot < 4; ++boot) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      const double level = 100 + 40 * boot + repeat;
      a.push_back(exact(std::to_string(boot), level));
      b.push_back(exact(std::to_string(boot), level + 10));
    }
  }
  const auto side_by_side = probability_below(draw_means(a, 4000, 1), draw_means(b, 4000, 1));
  const auto apart = probability_below(draw_means(a, 4000, 1), draw_means(b, 4000, 2));
  ASSERT_TRUE(side_by_side && apart);
  EXPECT_GT(*side_by_side, 0.97);
  EXPECT_LT(*apart, 0.8);
}

// Whoever calls A below B at 95 % should be wrong in at most about one in forty cases each way.
TEST(Probability, IsCalibratedWhenNothingDiffers) {
  measure::Random random(23);
  int told_apart = 0;
  constexpr int kTrials = 1000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Repeat> cells[2];
    for (auto& cell : cells) {
      for (int boot = 0; boot < 3; ++boot) {
        const double level = 100 + random.normal();
        for (int r = 0; r < 3; ++r) cell.push_back(exact(std::to_string(boot), level + random.normal()));
      }
    }
    const auto seed = static_cast<std::uint64_t>(trial);
    const auto p = probability_below(draw_means(cells[0], 1000, seed), draw_means(cells[1], 1000, seed));
    told_apart += *p > 0.975 || *p < 0.025;
  }
  EXPECT_LE(told_apart, 60);
}

TEST(Quantile, Interpolates) {
  const std::vector<double> values{4, 1, 3, 2};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 1), 4);
  EXPECT_NEAR(*quantile(values, 0.5), 2.5, 1e-12);
  EXPECT_FALSE(quantile({}, 0.5).has_value());
}

TEST(Kendall, KnownValues) {
  const std::vector<double> up{1, 2, 3, 4};
  const std::vector<double> down{4, 3, 2, 1};
  const std::vector<double> one_swap{1, 2, 4, 3};
  const std::vector<double> tied{1, 1, 2, 3};
  EXPECT_NEAR(*kendall_tau_b(up, up), 1, 1e-12);
  EXPECT_NEAR(*kendall_tau_b(up, down), -1, 1e-12);
  EXPECT_NEAR(*kendall_tau_b(up, one_swap), 4.0 / 6, 1e-12);
  EXPECT_NEAR(*kendall_tau_b(up, tied), 5 / std::sqrt(6.0 * 5), 1e-12);
  EXPECT_FALSE(kendall_tau_b(up, std::vector<double>{1, 1, 1, 1}).has_value());
  EXPECT_FALSE(kendall_tau_b(std::vector<double>{1}, std::vector<double>{1}).has_value());
}

}  // namespace
}  // namespace hap
