// The campaign file: what it expands to and what it says about mistakes.
#include "cli/campaign_plan.h"

#include <gtest/gtest.h>

namespace hap::cli {
namespace {

std::string error_of(const std::string& text) {
  const auto plan = parse_campaign(text, "c.toml");
  return plan.ok() ? "" : plan.error().to_string();
}

TEST(CampaignPlan, MatrixTimesBootsTimesRepeatsInterleavedByRepeat) {
  const auto plan = parse_campaign(R"(
name = "figure"
sandboxes = ["bare", "lxc"]
workloads = ["redis-set"]
boots = 2
repeats = 2
parallel = 2
)",
                                   "c.toml");
  ASSERT_TRUE(plan.ok()) << plan.error().to_string();
  ASSERT_EQ(plan->cells.size(), 8U);
  EXPECT_EQ(plan->cells[0].file_name(), "bare.redis-set.b1.r1.hap");
  EXPECT_EQ(plan->cells[1].file_name(), "lxc.redis-set.b1.r1.hap");
  EXPECT_EQ(plan->cells[2].file_name(), "bare.redis-set.b1.r2.hap");
  EXPECT_EQ(plan->cells[7].file_name(), "lxc.redis-set.b2.r2.hap");
  EXPECT_EQ(plan->parallel, 2);
}

TEST(CampaignPlan, SingleCellsTakeTheDefaultsAndAddOptions) {
  const auto plan = parse_campaign(R"(
profile = "fast"
options = ["--clock", "wall"]
[[cell]]
sandbox = "bare"
workload = "redis-get"
label = "bare-icount"
options = ["--clock", "instructions"]
)",
                                   "c.toml");
  ASSERT_TRUE(plan.ok()) << plan.error().to_string();
  ASSERT_EQ(plan->cells.size(), 1U);
  EXPECT_EQ(plan->cells[0].profile, "fast");
  EXPECT_EQ(plan->cells[0].file_name(), "bare-icount.b1.r1.hap");
  EXPECT_EQ(plan->cells[0].options.size(), 4U);
}

TEST(CampaignPlan, LengthIsPassedOnToMeasure) {
  const auto plan = parse_campaign(R"(
sandboxes = ["bare"]
workloads = ["redis-get"]
until = "requests"
[[cell]]
sandbox = "bare"
workload = "redis-set"
until = "steady"
)",
                                   "c.toml");
  ASSERT_TRUE(plan.ok()) << plan.error().to_string();
  ASSERT_EQ(plan->cells.size(), 2U);
  EXPECT_EQ(plan->cells[0].options, (std::vector<std::string>{"--until", "requests"}));
  // The last one counts, for hap measure too.
  EXPECT_EQ(plan->cells[1].options, (std::vector<std::string>{"--until", "requests", "--until", "steady"}));
  EXPECT_NE(error_of("sandboxes=['a']\nworkloads=['b']\nuntil='tired'").find("steady or requests"),
            std::string::npos);
}

TEST(CampaignPlan, MistakesAreNamedWithTheirPlace) {
  EXPECT_NE(error_of("sandboxes = [").find("line 1"), std::string::npos);
  EXPECT_NE(error_of("sandbox = ['bare']\n").find("unknown key `sandbox` in line 1"), std::string::npos);
  EXPECT_NE(error_of("").find("nothing to measure"), std::string::npos);
  EXPECT_NE(error_of("sandboxes=['a']\nworkloads=['b']\nrepeats=0").find("from 1 to 1000"),
            std::string::npos);
  EXPECT_NE(error_of("[[cell]]\nsandbox='a'\n").find("needs `sandbox` and `workload`"), std::string::npos);
  EXPECT_NE(error_of("sandboxes=['a','a']\nworkloads=['b']").find("different labels"), std::string::npos);
  EXPECT_NE(error_of("[[cell]]\nsandbox='a'\nworkload='b'\nlabel='../x'").find("file name"),
            std::string::npos);
}

}  // namespace
}  // namespace hap::cli
