// Completeness estimators against figures worked out by hand. Their behaviour on whole populations is in
// measure_completeness_coverage_test.cc.
#include "hap/completeness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

namespace hap {
namespace {

using ::testing::ElementsAre;

IncidenceCounts counts_of(std::uint32_t windows, std::vector<std::uint32_t> per_item) {
  auto counts = count_incidence(windows, per_item);
  EXPECT_TRUE(counts.ok());
  return counts.ok() ? *counts : IncidenceCounts{};
}

// `numbers[k]` items seen in k+1 windows.
IncidenceCounts counts_from_frequencies(std::uint32_t windows, std::vector<int> numbers) {
  std::vector<std::uint32_t> per_item;
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    per_item.insert(per_item.end(), static_cast<std::size_t>(numbers[k]), static_cast<std::uint32_t>(k + 1));
  }
  return counts_of(windows, per_item);
}

TEST(Incidence, KeepsDistinctWindowsInOrder) {
  Incidence incidence(5);
  ASSERT_TRUE(incidence.add(std::vector<std::uint32_t>{4, 1, 4}).ok());
  ASSERT_TRUE(incidence.add(std::vector<std::uint32_t>{}).ok());
  ASSERT_EQ(incidence.items(), 1U);
  EXPECT_THAT(incidence.windows_of(0), ElementsAre(1, 4));
}

TEST(Incidence, RefusesAWindowOutOfRangeAndStaysAsItWas) {
  Incidence incidence(5);
  EXPECT_FALSE(incidence.add(std::vector<std::uint32_t>{1, 5}).ok());
  EXPECT_EQ(incidence.items(), 0U);
}

TEST(IncidenceCounts, RefusesMoreWindowsThanThereAre) {
  EXPECT_FALSE(count_incidence(3, std::vector<std::uint32_t>{1, 4}).ok());
}

TEST(IncidenceCounts, CountsFrequencies) {
  const auto counts = counts_of(4, {1, 1, 2, 0, 4});
  EXPECT_EQ(counts.items, 4U);
  EXPECT_EQ(counts.incidences, 8U);
  EXPECT_EQ(counts.uniques(), 2U);
  EXPECT_EQ(counts.duplicates(), 1U);
  EXPECT_EQ(counts.q[4], 1U);
}

// Two items in 1 of 3 windows, one in 2 of 3: after one window 2/3 + 2/3 ... = 2 * 1/3 + 2/3 = 4/3; after two
// windows 2 * 2/3 + 1 = 7/3; after three all 3.
TEST(AccumulationCurve, IsTheExpectationOverRandomSubsets) {
  const auto curve = accumulation_curve(counts_of(3, {1, 1, 2}));
  ASSERT_EQ(curve.size(), 3U);
  EXPECT_NEAR(curve[0], 4.0 / 3, 1e-12);
  EXPECT_NEAR(curve[1], 7.0 / 3, 1e-12);
  EXPECT_NEAR(curve[2], 3.0, 1e-12);
}

TEST(AccumulationCurve, EqualsTheAverageOverAllOrdersOfWindows) {
  const std::vector<std::vector<std::uint32_t>> items{{0}, {1, 2}, {3}, {0, 1, 2, 3}, {2, 3}, {1}};
  Incidence incidence(4);
  for (const auto& item : items) ASSERT_TRUE(incidence.add(item).ok());
  const auto curve = accumulation_curve(count_incidence(incidence));

  std::vector<std::uint32_t> order{0, 1, 2, 3};
  std::vector<double> sum(4, 0);
  int orders = 0;
  do {
    ++orders;
    for (std::size_t t = 1; t <= 4; ++t) {
      for (const auto& item : items) {
        const bool seen = std::any_of(item.begin(), item.end(), [&](std::uint32_t w) {
          return std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(t), w) !=
                 order.begin() + static_cast<std::ptrdiff_t>(t);
        });
        sum[t - 1] += seen;
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
  for (std::size_t t = 0; t < 4; ++t) EXPECT_NEAR(curve[t], sum[t] / orders, 1e-12);
}

// T = 10, Q1 = 4, Q2 = 3, Q5 = 2: U = 4 + 6 + 10 = 20; C = 1 - 4/20 * 36/(36 + 6).
TEST(SampleCoverage, FollowsChaoAndJost) {
  const auto coverage = sample_coverage(counts_from_frequencies(10, {4, 3, 0, 0, 2}));
  ASSERT_TRUE(coverage.has_value());
  EXPECT_NEAR(*coverage, 1 - 0.2 * 36.0 / 42.0, 1e-12);
}

TEST(SampleCoverage, WithoutDuplicatesUsesTheBiasCorrectedForm) {
  const auto coverage = sample_coverage(counts_from_frequencies(10, {4, 0, 0, 0, 2}));
  ASSERT_TRUE(coverage.has_value());
  EXPECT_NEAR(*coverage, 1 - 4.0 / 14 * 27.0 / 29.0, 1e-12);
}

TEST(SampleCoverage, IsUnknownForOneWindowAndForNothing) {
  EXPECT_FALSE(sample_coverage(counts_of(1, {1, 1})).has_value());
  EXPECT_FALSE(sample_coverage(counts_of(10, {})).has_value());
  EXPECT_EQ(sample_coverage(counts_of(10, {10, 10})), 1.0);
}

// T = 10, Q1 = 10, Q2 = 4: f0 = 0.9 * 90 / 10 = 8.1;
// var = 8.1 + 0.81*10*361/(4*25) + 0.81*100*4*81/(4*625) = 8.1 + 29.241 + 10.4976 = 47.8386;
// K = exp(1.96 sqrt(ln(1 + 47.8386/65.61))) = exp(1.96 * 0.73972) = 4.2627.
TEST(Chao2, MatchesAHandComputation) {
  const auto unseen = chao2_unseen(counts_from_frequencies(10, {10, 4, 1}));
  ASSERT_TRUE(unseen.has_value());
  EXPECT_NEAR(unseen->value, 8.1, 1e-12);
  EXPECT_NEAR(unseen->low, 8.1 / 4.2627, 0.01);
  EXPECT_NEAR(unseen->high, 8.1 * 4.2627, 0.05);
}

TEST(Chao2, WithoutUniquesStillHasAnUpperEnd) {
  const auto unseen = chao2_unseen(counts_from_frequencies(10, {0, 4, 1}));
  ASSERT_TRUE(unseen.has_value());
  EXPECT_EQ(unseen->value, 0);
  EXPECT_EQ(unseen->low, 0);
  EXPECT_GT(unseen->high, 0);
}

TEST(Chao2, IsUnknownForOneWindow) {
  EXPECT_FALSE(chao2_unseen(counts_of(1, {1})).has_value());
}

TEST(Unseen, TooFewWindowsGiveNoFigureRatherThanAWrongOne) {
  EXPECT_FALSE(estimate_unseen(counts_from_frequencies(4, {10, 4, 1})).has_value());
  Incidence incidence(4);
  ASSERT_TRUE(incidence.add(std::vector<std::uint32_t>{1}).ok());
  const Completeness completeness = assess_completeness(incidence);
  EXPECT_FALSE(completeness.unseen.has_value());
  EXPECT_FALSE(completeness.steady_state.has_value());
  EXPECT_THAT(completeness.warnings, ElementsAre(CompletenessWarning::too_few_windows));
}

TEST(Unseen, NothingRareMeansNearlyNothingUnseen) {
  const auto estimate = estimate_unseen(counts_of(40, std::vector<std::uint32_t>(1000, 40)));
  ASSERT_TRUE(estimate.has_value());
  EXPECT_EQ(estimate->value, 0);
  EXPECT_EQ(estimate->low, 0);
  EXPECT_LE(estimate->high, 7);
}

TEST(Unseen, DispersionWidensTheInterval) {
  const auto counts = counts_from_frequencies(20, {20, 15, 12, 10, 8, 8});
  const auto plain = estimate_unseen(counts);
  const auto grouped = estimate_unseen(counts, 8);
  ASSERT_TRUE(plain && grouped);
  EXPECT_LT(grouped->value, plain->value);  // by groups there is less to be missed
  EXPECT_LE(grouped->low, plain->low);
  EXPECT_GT(grouped->high, plain->high);
}

// Q1 = 40, Q2 = 8 in groups of 4: 10 and 2 groups. f0 = 4 * 0.9 * 10 * 9 / (2 * 3) = 54.
TEST(Chao2, CountsGroupsWhereItemsComeInGroups) {
  const auto unseen = chao2_unseen(counts_from_frequencies(10, {40, 8}), 4);
  ASSERT_TRUE(unseen.has_value());
  EXPECT_NEAR(unseen->value, 54, 1e-9);
}

// One burst of a hundred functions is one event: nobody can say how many other such events there are, and a
// bound that pretends to be one must not be given without a word.
TEST(Unseen, OneBurstIsOneEvent) {
  Incidence incidence(10);
  std::vector<std::uint32_t> all(10);
  std::iota(all.begin(), all.end(), 0U);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(incidence.add(all).ok());
  for (int i = 0; i < 110; ++i) ASSERT_TRUE(incidence.add(std::vector<std::uint32_t>{7}).ok());
  const auto estimate = estimate_unseen(count_incidence(incidence), rare_dispersion(incidence));
  ASSERT_TRUE(estimate.has_value());
  EXPECT_THAT(estimate->warnings, ::testing::Contains(CompletenessWarning::few_events));
  EXPECT_GE(estimate->high, 110);
  EXPECT_LE(estimate->high, 2000);  // not the hundred thousand that independent items would give
}

TEST(RareDispersion, IsTheGroupSizeWhenItemsAppearInGroups) {
  Incidence single(60);
  Incidence grouped(60);
  for (std::uint32_t i = 0; i < 240; ++i) {
    ASSERT_TRUE(single.add(std::vector<std::uint32_t>{(i * 37 + i / 60) % 60}).ok());
    // Groups of eight, each in one window of its own choice.
    const std::uint32_t group = i / 8;
    ASSERT_TRUE(grouped.add(std::vector<std::uint32_t>{(group * 7) % 60}).ok());
  }
  EXPECT_EQ(rare_dispersion(single), 1);
  EXPECT_NEAR(rare_dispersion(grouped), 4.07, 0.1);  // 30 of 60 windows with 8: variance 16.3, mean 4
}

TEST(Growth, StaysWithinTheUnseen) {
  const auto counts = counts_from_frequencies(20, {20, 15, 12, 10, 8, 8});
  const auto estimate = estimate_unseen(counts);
  ASSERT_TRUE(estimate.has_value());
  const Interval twice = predict_growth(counts, *estimate, 2);
  const Interval four = predict_growth(counts, *estimate, 4);
  EXPECT_LE(twice.value, four.value);
  EXPECT_LE(four.value, estimate->value);
  EXPECT_LE(four.high, estimate->high);
  EXPECT_EQ(predict_growth(counts, *estimate, 1).value, 0);
}

TEST(SteadyWatch, StopsOnceNothingNewComes) {
  SteadyRule rule;
  rule.min_windows = 6;
  SteadyWatch watch(rule);
  std::vector<std::uint64_t> always(500);
  std::iota(always.begin(), always.end(), 1000U);
  SteadyVerdict verdict = SteadyVerdict::not_yet;
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(verdict, SteadyVerdict::not_yet);
    verdict = watch.observe(always);
  }
  EXPECT_EQ(verdict, SteadyVerdict::steady);
  EXPECT_EQ(watch.windows(), 6U);
  EXPECT_EQ(watch.counts().items, 500U);
}

TEST(SteadyWatch, GoesOnWhileWindowsAddItemsAndStopsAtTheCap) {
  SteadyRule rule;
  rule.min_windows = 5;
  rule.max_windows = 12;
  SteadyWatch watch(rule);
  SteadyVerdict verdict = SteadyVerdict::not_yet;
  std::uint64_t next = 0;
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(verdict, SteadyVerdict::not_yet);
    const std::vector<std::uint64_t> seen{1, 2, 3, 1000 + next++};
    verdict = watch.observe(seen);
  }
  EXPECT_EQ(verdict, SteadyVerdict::cap_reached);
  EXPECT_FALSE(watch.waiting_for().empty());
}

TEST(SteadyWatch, AThirdOfTheWindowsMustHaveAddedNothing) {
  SteadyWatch watch({});
  std::vector<std::uint64_t> always(500);
  std::iota(always.begin(), always.end(), 1000U);
  for (int window = 1; window <= 13; ++window) {
    std::vector<std::uint64_t> seen = always;
    if (window == 9) seen.push_back(1);
    ASSERT_EQ(watch.observe(seen), SteadyVerdict::not_yet) << window;
  }
  EXPECT_NE(watch.waiting_for().find("nothing new"), std::string::npos) << watch.waiting_for();
  EXPECT_EQ(watch.observe(always), SteadyVerdict::steady) << "5 quiet ones of 14";
  EXPECT_EQ(watch.assess().steady_state, true);
  EXPECT_EQ(watch.assess().seen, 501U);
}

TEST(SteadyWatch, SaysWhatTheReportWillSay) {
  // Ten bursts of three items, each in one window of its own: by the estimate much more is to come.
  SteadyRule rule;
  rule.quiet_share = 0;
  SteadyWatch watch(rule);
  Incidence incidence(24);
  std::map<std::uint64_t, std::vector<std::uint32_t>> windows;
  for (std::uint32_t window = 0; window < 24; ++window) {
    std::vector<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < 400; ++i) seen.push_back(1000 + i);
    if (window < 10) {
      for (std::uint64_t i = 0; i < 3; ++i) seen.push_back(10 * window + i);
    }
    for (const std::uint64_t id : seen) windows[id].push_back(window);
    EXPECT_EQ(watch.observe(seen), SteadyVerdict::not_yet) << window;
  }
  for (const auto& [id, in] : windows) ASSERT_TRUE(incidence.add(in).ok());
  EXPECT_EQ(assess_completeness(incidence, rule).steady_state, false);
  EXPECT_NE(watch.waiting_for().find("growth"), std::string::npos) << watch.waiting_for();
}

TEST(SteadyWatch, OneQuietWindowIsNotEnoughWhileMuchIsUnseen) {
  SteadyRule rule;
  rule.min_windows = 5;
  SteadyWatch watch(rule);
  // Eight windows with 20 items of their own, then a quiet one: coverage is far below 99 %.
  for (std::uint64_t w = 0; w < 8; ++w) {
    std::vector<std::uint64_t> seen{1, 2, 3};
    for (std::uint64_t i = 0; i < 20; ++i) seen.push_back(100 * (w + 1) + i);
    (void)watch.observe(seen);
  }
  EXPECT_EQ(watch.observe(std::vector<std::uint64_t>{1, 2, 3}), SteadyVerdict::not_yet);
  EXPECT_EQ(watch.quiet(), 1U);
}

TEST(Assess, CallsAConstantPhaseSteady) {
  Incidence incidence(24);
  std::vector<std::uint32_t> all(24);
  std::iota(all.begin(), all.end(), 0U);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(incidence.add(all).ok());
  const Completeness completeness = assess_completeness(incidence);
  EXPECT_EQ(completeness.steady_state, true);
  EXPECT_EQ(completeness.seen, 1000U);
  EXPECT_TRUE(completeness.warnings.empty());
}

TEST(Assess, CallsAPhaseThatKeepsGrowingUnsteady) {
  Incidence incidence(24);
  for (std::uint32_t first = 0; first < 24; ++first) {
    std::vector<std::uint32_t> from(24 - first);
    std::iota(from.begin(), from.end(), first);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(incidence.add(from).ok());
  }
  const Completeness completeness = assess_completeness(incidence);
  EXPECT_EQ(completeness.steady_state, false);
  EXPECT_THAT(completeness.warnings, ::testing::Contains(CompletenessWarning::still_growing));
}

}  // namespace
}  // namespace hap
