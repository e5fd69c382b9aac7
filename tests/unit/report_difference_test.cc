// What changed between two cells, and the gate on it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "report/annotate.h"
#include "report/difference.h"
#include "sample_cell.h"
#include "schema_check.h"

namespace hap {
namespace {

using report::exceeded;
using report::make_difference;
using report::parse_threshold;
using ::testing::HasSubstr;
using testing_support::SampleCell;
using testing_support::SampleImages;

SampleCell cell_with(const std::vector<std::string>& functions) {
  SampleCell cell;
  const auto actor = cell.actor(cell.task("redis", "/hap/cell", 100));
  for (const auto& name : functions) cell.hit(cell.function(name), actor);
  return cell;
}

report::Difference difference_of(const SampleCell& before, const SampleCell& after) {
  const auto a = before.profile();
  const auto b = after.profile();
  const auto resolver =
      Resolver::open(SampleCell::resolver_options(),
                     {{ImageKind::kernel, SampleImages::get().kernel_build_id(), "vmlinux"}});
  EXPECT_TRUE(a.ok() && b.ok() && resolver.ok());
  return make_difference({*a, *resolver, "a.hap", Interval{3, 1, 9}},
                         {*b, *resolver, "b.hap", Interval{4, 1, 9}});
}

TEST(Difference, NamesWhatCameAndWhatWent) {
  const auto difference =
      difference_of(cell_with({"vfs_read", "tcp_ack"}), cell_with({"vfs_read", "tcp_sendmsg", "kvm_exit"}));
  EXPECT_EQ(difference.in_both, 1U);
  ASSERT_EQ(difference.only_before.size(), 1U);
  EXPECT_EQ(difference.only_before[0].name, "tcp_ack");
  ASSERT_EQ(difference.only_after.size(), 2U);
  EXPECT_EQ(difference.only_after[0].name, "kvm_exit");
  EXPECT_EQ(difference.only_after[0].file, "virt/kvm/kvm_main.c");
  EXPECT_EQ(difference.metrics[0].metric, "functions");
  EXPECT_EQ(difference.metrics[0].before, 2);
  EXPECT_EQ(difference.metrics[0].after, 3);
  EXPECT_DOUBLE_EQ(*difference.metrics[0].relative(), 0.5);
}

TEST(Difference, SaysByFolderWhatWasGainedAndLostAndWhatBroughtIt) {
  const auto difference = difference_of(cell_with({"tcp_ack"}), cell_with({"tcp_sendmsg", "vfs_read"}));
  ASSERT_TRUE(difference.same_kernel);
  const auto folder = std::find_if(difference.folders.begin(), difference.folders.end(),
                                   [](const auto& one) { return one.name == "net/ipv4"; });
  ASSERT_NE(folder, difference.folders.end());
  EXPECT_EQ(folder->functions_gained, 1U);
  EXPECT_EQ(folder->functions_lost, 1U);
  EXPECT_EQ(folder->lines_gained, folder->lines_after) << "no line of tcp_sendmsg is one of tcp_ack";
  EXPECT_EQ(folder->lines_lost, folder->lines_before);
  EXPECT_THAT(folder->origin.contexts, ::testing::ElementsAre("task"));
  // Nothing that ran calls them: they were entered.
  ASSERT_EQ(difference.only_before.size(), 1U);
  ASSERT_EQ(difference.only_before[0].origin.entries.size(), 1U);
  EXPECT_EQ(difference.only_before[0].origin.entries[0].name, "tcp_ack");
  EXPECT_FALSE(difference.only_before[0].origin.entries[0].syscall);
}

TEST(Difference, OfTwoKernelsDoesNotCountLinesAsTheSame) {
  auto other = cell_with({"vfs_read"});
  other.meta["kernel_build_id"] = "0123456789abcdef0123456789abcdef01234567";
  const auto difference = difference_of(cell_with({"vfs_read", "tcp_ack"}), other);
  EXPECT_FALSE(difference.same_kernel);
  ASSERT_FALSE(difference.folders.empty());
  EXPECT_EQ(difference.folders[0].lines_gained, std::nullopt);
  EXPECT_TRUE(difference.folders[0].lines_before.has_value());
}

TEST(Difference, KnownVulnerabilitiesAreAMetricLikeOthers) {
  const auto difference = difference_of(cell_with({"vfs_read"}), cell_with({"vfs_read"}));  // 3 -> 4 records
  EXPECT_EQ(exceeded(*parse_threshold("known_cves>+0"), difference), true);
  EXPECT_EQ(exceeded(*parse_threshold("known_cves>+1"), difference), false);
}

TEST(Difference, OfARecordingWithItselfIsNothing) {
  const auto cell = cell_with({"vfs_read", "tcp_ack"});
  const auto difference = difference_of(cell, cell);
  EXPECT_TRUE(difference.only_before.empty() && difference.only_after.empty() && difference.changed.empty());
  EXPECT_TRUE(difference.folders.empty());
  for (const auto& change : difference.metrics) {
    if (change.metric == "known_cves") continue;  // given by whoever knows the ledger
    EXPECT_EQ(change.before, change.after) << change.metric;
  }
}

TEST(Difference, SeesAFunctionThatRanAnotherWay) {
  SampleCell partly;
  const auto range = SampleImages::get().range("vfs_read");
  partly.hit(partly.block(1, range.begin, 3), partly.actor(partly.task("redis", "/hap/cell", 100)));
  const auto difference = difference_of(partly, cell_with({"vfs_read"}));
  ASSERT_EQ(difference.changed.size(), 1U);
  EXPECT_LT(difference.changed[0].lines_before, difference.changed[0].lines_after);
}

TEST(Difference, FormatsFitAndParse) {
  const auto difference = difference_of(cell_with({"vfs_read"}), cell_with({"vfs_read", "tcp_ack"}));
  std::istringstream lines(render_text(difference));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  const auto json = to_json(difference);
  EXPECT_EQ(json["schema"], "hapmeter.diff/1");
  EXPECT_EQ(json["metrics"][0]["change"], 1);
  EXPECT_EQ(json["only_after"][0]["name"], "tcp_ack");
  EXPECT_THAT(render_markdown(difference), HasSubstr("| `functions` | 1 | 2 | +1 | +100.0 % |"));
}

TEST(Difference, ObeysItsSchema) {
  if (!testing_support::validator_there()) GTEST_SKIP() << "python3-jsonschema is not installed";
  const auto difference =
      difference_of(cell_with({"vfs_read", "tcp_ack"}), cell_with({"vfs_read", "kvm_exit"}));
  EXPECT_EQ(testing_support::schema_violation("diff", to_json(difference).dump()), "");
}

TEST(Threshold, IsParsedAndJudged) {
  const auto difference = difference_of(cell_with({"vfs_read", "tcp_ack"}),
                                        cell_with({"vfs_read", "tcp_sendmsg", "kvm_exit"}));  // +50 %, +1
  const auto over = [&](const std::string& text) { return exceeded(*parse_threshold(text), difference); };
  EXPECT_EQ(over("functions>+49%"), true);
  EXPECT_EQ(over("functions>50%"), false);
  EXPECT_EQ(over("functions>+0"), true);
  EXPECT_EQ(over("functions>1"), false);
  EXPECT_EQ(over("functions>-1"), true);
  for (const auto* wrong : {"functions", "functions>", "functions>x%", "functions>1e999", "lines>5", ">5",
                            "functions>5%%", "functions>nan"}) {
    const auto threshold = parse_threshold(wrong);
    ASSERT_FALSE(threshold.ok()) << wrong;
    EXPECT_EQ(threshold.error().kind(), ErrorKind::usage);
    EXPECT_FALSE(threshold.error().hint().empty());
  }
}

TEST(Threshold, AnUnknownFigureDoesNotPass) {
  auto cell = cell_with({"vfs_read"});
  cell.meta["granularity"] = "function";
  const auto difference = difference_of(cell, cell);
  EXPECT_EQ(exceeded(*parse_threshold("executed_lines>5%"), difference), std::nullopt);
}

class Annotate : public ::testing::Test {
 protected:
  Annotate() {
    const auto range = SampleImages::get().range("vfs_read");
    cell_.hit(cell_.block(1, range.begin, 4), cell_.actor(cell_.task("redis", "/hap/cell", 100)), {2, 4});
  }
  Result<std::vector<report::Annotation>> annotate(const std::string& target) {
    const auto profile = cell_.profile();
    HAP_TRY(resolver,
            Resolver::open(SampleCell::resolver_options(),
                           {{ImageKind::kernel, SampleImages::get().kernel_build_id(), "vmlinux"}}));
    return report::annotate(*profile, resolver, target);
  }
  SampleCell cell_;
};

TEST_F(Annotate, AFunctionWithItsSource) {
  const auto found = annotate("vfs_read");
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  ASSERT_EQ(found->size(), 1U);
  const auto text = render_text(found->at(0), SampleImages::get().root());
  EXPECT_THAT(text, HasSubstr("vfs_read (fs/read_write.c:3): "));
  EXPECT_THAT(text, HasSubstr("H       2      5 | \tif (x > 3)\n"));
  EXPECT_THAT(text, HasSubstr("-              9 | \treturn sink;\n"));
  EXPECT_THAT(text, HasSubstr("               7 | \telse\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("#include"))) << "the function only";
}

TEST_F(Annotate, AFileByItsLastParts) {
  const auto found = annotate("read_write.c");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->at(0).file, "fs/read_write.c");
  const auto missing = annotate("write.c");
  ASSERT_FALSE(missing.ok()) << "part of a name is no part of a path";
  EXPECT_EQ(missing.error().kind(), ErrorKind::usage);
  EXPECT_FALSE(annotate("tcp_ack").ok()) << "it did not run";
}

}  // namespace
}  // namespace hap
