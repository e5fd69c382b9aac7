#include "compare/summary_file.h"

#include <gtest/gtest.h>

namespace hap {
namespace {

ReportSummary example() {
  ReportSummary summary;
  summary.sandbox = "bare";
  summary.workload = "redis-set";
  summary.collector = "emulator";
  summary.kernel = "6.12";
  summary.kernel_build_id = "ab12";
  summary.boot = "2";
  summary.figures[0] = {{"functions", Interval{10, 9, 12}}, {"complexity", std::nullopt}};
  summary.figures[1] = {{"functions", Interval{14, 14, 15}}};
  summary.functions = {{"vfs_read", "fs/read_write.c", 30, false},
                       {"vfs_write", "fs/read_write.c", 40, false},
                       {"net_rx_action", "", 0, true}};
  summary.steady_state = false;
  summary.events_lost = 7;
  return summary;
}

TEST(SummaryFile, GivesBackWhatWasPutIn) {
  const ReportSummary summary = example();
  const auto again = compare::decode_summary(compare::encode_summary(summary), "x");
  ASSERT_TRUE(again.ok()) << again.error().to_string();
  EXPECT_EQ(again->sandbox, "bare");
  EXPECT_EQ(again->boot, "2");
  EXPECT_EQ(again->kernel_build_id, "ab12");
  EXPECT_EQ(again->label, "");
  EXPECT_EQ(again->figures[0].at("functions")->high, 12);
  EXPECT_FALSE(again->figures[0].at("complexity").has_value());
  EXPECT_EQ(again->figures[1].size(), 1U);
  ASSERT_EQ(again->functions.size(), 3U);
  EXPECT_EQ(again->functions[1].name, "vfs_write");
  EXPECT_EQ(again->functions[1].file, "fs/read_write.c");
  EXPECT_EQ(again->functions[1].lines, 40);
  EXPECT_TRUE(again->functions[2].softirq_only);
  EXPECT_EQ(again->steady_state, false);
  EXPECT_FALSE(again->coverage.has_value());
  EXPECT_EQ(again->events_lost, 7U);
}

TEST(SummaryFile, RefusesEveryCutAndAnythingAppended) {
  const std::string bytes = compare::encode_summary(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = compare::decode_summary(std::string_view(bytes).substr(0, size), "x");
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_EQ(cut.error().kind(), ErrorKind::corrupt);
  }
  EXPECT_FALSE(compare::decode_summary(bytes + "x", "x").ok());
}

TEST(KeptSummary, GivesBackWhatWasPutInAndRefusesEveryCut) {
  const std::string bytes = compare::encode_kept({"0.1 5", {"ab12", ""}, example()});
  const auto again = compare::decode_kept(bytes, "x");
  ASSERT_TRUE(again.ok()) << again.error().to_string();
  EXPECT_EQ(again->made_by, "0.1 5");
  EXPECT_EQ(again->without_lines, (std::vector<std::string>{"ab12", ""}));
  EXPECT_EQ(compare::encode_summary(again->summary), compare::encode_summary(example()));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(compare::decode_kept(std::string_view(bytes).substr(0, size), "x").ok()) << size;
  }
  EXPECT_FALSE(compare::decode_kept(bytes + "x", "x").ok());
}

TEST(SummaryFile, NoFlippedByteLeadsAstray) {
  const std::string bytes = compare::encode_summary(example());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0xff);
    const auto result = compare::decode_summary(flipped, "x");  // refused, or another valid summary
    if (result) {
      EXPECT_EQ(compare::encode_summary(*result).size(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace hap
