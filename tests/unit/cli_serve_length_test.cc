// How long a cell serves, from what the user said.
#include "cli/serve_length.h"

#include <gtest/gtest.h>

namespace hap::cli {
namespace {

// Intent: the paced default waits for the slow timers that are known, in windows of a few seconds.
TEST(ServeLength, ThePublishedProfileWaitsForTheTimersThatAreKnown) {
  const auto length = plan_length({}, "published", 0);
  ASSERT_TRUE(length.ok());
  ASSERT_TRUE(length->until_steady);
  EXPECT_EQ(length->until_steady->min_windows, 60U);
  EXPECT_EQ(length->until_steady->max_windows, 180U);
  EXPECT_EQ(length->windows, 180U);
  EXPECT_EQ(length->requests, 180U * 50);
  // Two periods of the service's own timer, and some slack.
  EXPECT_EQ(plan_length({}, "published", 300)->until_steady->min_windows, 126U);
  EXPECT_EQ(plan_length({}, "published", 60)->until_steady->min_windows, 60U);
}

// Intent: a number of requests is a number of requests; so is the fast profile.
TEST(ServeLength, ANumberOfRequestsIsNoSteadyState) {
  LengthOptions options;
  options.requests = 1200;
  const auto length = plan_length(options, "published", 0);
  ASSERT_TRUE(length.ok());
  EXPECT_FALSE(length->until_steady);
  EXPECT_EQ(length->requests, 1200U);
  EXPECT_FALSE(length->windows);
  EXPECT_FALSE(plan_length({}, "fast", 0)->until_steady);
  options = {};
  options.until = "requests";
  EXPECT_FALSE(plan_length(options, "published", 0)->until_steady);
}

// Intent: other windows keep the floor's time, not its number; a load without a pace has no time.
TEST(ServeLength, TheFloorIsATimeWhereTheLoadHasAPace) {
  LengthOptions options;
  options.until = "steady";
  options.windows = 30;  // of the profile's 300 requests: a second each
  EXPECT_EQ(plan_length(options, "published", 0)->until_steady->min_windows, 300U);
  options = {};
  options.until = "steady";
  EXPECT_EQ(plan_length(options, "fast", 0)->requests, 180U * 125) << "25 a second";
  options.interval_ms = 0;
  const auto fast = plan_length(options, "fast", 0);
  ASSERT_TRUE(fast.ok());
  EXPECT_EQ(fast->interval_ms, 0);
  EXPECT_EQ(fast->until_steady->min_windows, SteadyRule{}.min_windows);
  EXPECT_EQ(fast->until_steady->max_windows, SteadyRule{}.max_windows);
  EXPECT_EQ(fast->requests, 5U * SteadyRule{}.max_windows);
}

// Intent: one end of the rule moves the other out of its way, but both said wrongly are refused.
TEST(ServeLength, FloorAndCap) {
  LengthOptions options;
  options.until = "steady";
  options.cap = 40;
  EXPECT_EQ(plan_length(options, "published", 0)->until_steady->min_windows, 40U);
  EXPECT_EQ(plan_length(options, "published", 0)->until_steady->max_windows, 40U);
  options.cap = 0;
  options.floor = 500;
  options.continue_to = 4;
  const auto length = plan_length(options, "published", 0);
  EXPECT_EQ(length->until_steady->max_windows, 500U);
  EXPECT_EQ(length->windows, 2000U);
  options.cap = 40;
  EXPECT_EQ(plan_length(options, "published", 0).error().kind(), ErrorKind::usage);
  options.until = "requests";
  EXPECT_EQ(plan_length(options, "published", 0).error().kind(), ErrorKind::usage);
  options = {};
  options.until = "steady";
  EXPECT_EQ(plan_length(options, "no-such-profile", 0).error().kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace hap::cli
