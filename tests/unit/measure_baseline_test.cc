#include "hap/baseline.h"

#include <gtest/gtest.h>

#include <cmath>

#include "measure/random.h"

namespace hap {
namespace {

TEST(RateRatio, HoldsTheTrueRatio) {
  measure::Random random(5);
  const WindowSpan working{60, 1};
  const WindowSpan idle{120, 0.5};  // windows of another length: rates are per second
  for (const double truth : {0.5, 1.0, 4.0}) {
    int covered = 0;
    constexpr int kTrials = 1000;
    for (int trial = 0; trial < kTrials; ++trial) {
      const double rate = 0.3;
      std::uint32_t a = 0;
      std::uint32_t b = 0;
      for (int w = 0; w < 60; ++w) a += random.uniform() < 1 - std::exp(-rate * truth);
      for (int w = 0; w < 120; ++w) b += random.uniform() < 1 - std::exp(-rate * 0.5);
      const auto ratio = rate_ratio(a, working, b, idle);
      ASSERT_TRUE(ratio.has_value());
      covered += ratio->low <= truth && (!ratio->high || truth <= *ratio->high);
    }
    EXPECT_GE(covered, 930) << truth;
    EXPECT_LE(covered, 990) << truth;
  }
}

TEST(RateRatio, EndsAreOpenWhereTheDataAre) {
  const WindowSpan span{40, 1};
  const auto always = rate_ratio(40, span, 3, span);
  ASSERT_TRUE(always.has_value());
  EXPECT_FALSE(always->high.has_value());
  EXPECT_GT(always->low, 1);
  const auto both_always = rate_ratio(40, span, 40, span);
  EXPECT_EQ(both_always->low, 0);
  EXPECT_FALSE(both_always->high.has_value());
  EXPECT_FALSE(rate_ratio(1, {0, 1}, 1, span).has_value());
}

TEST(Baseline, GivesEveryFunctionAVerdictAndDeletesNone) {
  const WindowSpan span{60, 1};
  const std::vector<FunctionWindows> working{
      {"tcp_sendmsg", 60},        // always with the workload, never idle
      {"netif_receive_skb", 58},  // shared code, but far more often with the workload
      {"run_timer_softirq", 30},  // as often without it
      {"wb_workfn", 1},           // once in each: cannot be told
      {"schedule", 60},           // in every window of both: windows are too long to tell
  };
  const std::vector<FunctionWindows> idle{{"netif_receive_skb", 6},
                                          {"run_timer_softirq", 32},
                                          {"wb_workfn", 1},
                                          {"schedule", 60},
                                          {"only_here", 2}};
  const BaselineComparison result = compare_with_baseline(working, span, idle, span);
  ASSERT_EQ(result.functions.size(), 5U);
  EXPECT_EQ(result.functions[0].origin, Origin::workload);
  EXPECT_EQ(result.functions[1].origin, Origin::workload);
  EXPECT_EQ(result.functions[2].origin, Origin::background);
  EXPECT_EQ(result.functions[3].origin, Origin::undecided);
  EXPECT_EQ(result.functions[4].origin, Origin::undecided);
  EXPECT_EQ(result.workload, 2U);
  EXPECT_EQ(result.background, 1U);
  EXPECT_EQ(result.undecided, 2U);
  EXPECT_EQ(result.only_idle, 1U);
  EXPECT_EQ(result.attributable.low, 2);
  EXPECT_EQ(result.attributable.high, 4);
}

TEST(Baseline, WithoutIdleWindowsNothingIsDecided) {
  const std::vector<FunctionWindows> working{{"a", 5}};
  const BaselineComparison result = compare_with_baseline(working, {10, 1}, {}, {0, 1});
  EXPECT_EQ(result.undecided, 1U);
}

}  // namespace
}  // namespace hap
