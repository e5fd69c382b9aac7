// How the length of phase serve is told, what came late in it, and the comparison with an idle recording.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/formats.h"
#include "report/idle_baseline.h"
#include "report/served_length.h"
#include "sample_cell.h"

namespace hap::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_support::SampleCell;

// Serve windows 2..5 of the sample, where `count` more follow, each a second long.
void lengthen(SampleCell& cell, uint32_t count) {
  cell.windows.pop_back();  // teardown
  for (Window& window : cell.windows) {
    window.start_ns = int64_t{window.id} * 1'000'000'000;
    window.end_ns = window.start_ns + 1'000'000'000;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const auto id = static_cast<uint32_t>(cell.windows.size() + 1);
    cell.windows.push_back(
        {id, Phase::serve, int64_t{id} * 1'000'000'000, int64_t{id + 1} * 1'000'000'000, 10});
  }
}

SampleCell busy_cell() {
  SampleCell cell;
  lengthen(cell, 8);  // twelve serve windows, 2..13
  const auto redis = cell.task("redis-server", "/hap/cell", 100);
  const auto own = cell.actor(redis);
  cell.hit(cell.function("vfs_read"), own, {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13});
  cell.hit(cell.function("tcp_sendmsg"), own, {10});
  cell.hit(cell.function("tcp_ack"), own, {10, 12});
  cell.hit(cell.function("kvm_exit"), own, {10});
  return cell;
}

TEST(Length, WhatTheRunAddedBehindTheVerdictIsCounted) {
  SampleCell cell = busy_cell();
  cell.meta["until"] = "steady";
  cell.meta["steady_verdict"] = "steady";
  cell.meta["steady_windows"] = "3";
  cell.meta["steady_growth"] = "0.50";
  cell.meta["steady_growth_low"] = "0.00";
  cell.meta["steady_growth_high"] = "7.00";
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok()) << profile.error().to_string();
  const LengthReport length = length_of(*profile);
  EXPECT_EQ(length.verdict, "steady");
  EXPECT_EQ(length.windows, 3U);
  EXPECT_EQ(length.all_windows, 12U);
  EXPECT_EQ(length.added, 3U);
  ASSERT_TRUE(length.foretold);
  EXPECT_EQ(length.foretold->high, 7);
  ASSERT_EQ(length.late.size(), 1U);
  EXPECT_EQ(length.late[0].window, 9U) << "window 10 of the recording is the ninth of phase serve";
  EXPECT_DOUBLE_EQ(length.late[0].seconds, 8);
  EXPECT_EQ(length.late[0].functions, 3U);
  EXPECT_EQ(length.late[0].deferred, 0U);
  EXPECT_THAT(length.late[0].names, ElementsAre("kvm_exit", "tcp_ack", "tcp_sendmsg"));
  const auto text = sentences(length);
  ASSERT_EQ(text.size(), 2U);
  EXPECT_THAT(text[0], HasSubstr("foretold to add 0 functions (0 to 7); going on to 12 windows added 3"));
  EXPECT_THAT(text[1], HasSubstr("3 functions after 8.0 s (kvm_exit"));
}

// Intent: what only a kworker ran, for the sandbox, is told from what the sandbox ran itself.
TEST(Length, DeferredWorkThatCameLateIsNamedAsThat) {
  SampleCell cell;
  lengthen(cell, 8);
  const auto redis = cell.task("redis-server", "/hap/cell", 100);
  const auto kworker =
      cell.actor(cell.task("kworker/0:1", "/", 7, 2, true), Cause::process, OwnerKind::work, redis);
  cell.hit(cell.function("vfs_read"), cell.actor(redis), {2, 12});
  cell.hit(cell.function("tcp_sendmsg"), kworker, {10});
  cell.hit(cell.function("tcp_ack"), kworker, {10});
  cell.hit(cell.function("kvm_exit"), kworker, {10});
  cell.hit(cell.function("kvm_exit"), cell.actor(redis), {12});
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok()) << profile.error().to_string();
  const LengthReport length = length_of(*profile);
  ASSERT_EQ(length.late.size(), 1U);
  EXPECT_EQ(length.late[0].functions, 3U);
  EXPECT_EQ(length.late[0].deferred, 3U);
  EXPECT_THAT(sentences(length).back(), HasSubstr("3 functions of deferred work after 8.0 s"));
}

// Intent: code that interrupts had run on top of the sandbox's threads before is told from code never seen.
TEST(Length, WhatInterruptsHadRunBeforeIsKnown) {
  SampleCell cell;
  lengthen(cell, 8);
  cell.meta["steady_verdict"] = "steady";
  cell.meta["steady_windows"] = "3";
  const auto redis = cell.task("redis-server", "/hap/cell", 100);
  const auto own = cell.actor(redis);
  const auto softirq = cell.actor(redis, Cause::softirq);
  cell.hit(cell.function("vfs_read"), own, {2, 12});
  for (const char* name : {"tcp_sendmsg", "tcp_ack"}) {
    cell.hit(cell.function(name), softirq, {3});
    cell.hit(cell.function(name), own, {10});
  }
  cell.hit(cell.function("kvm_exit"), softirq, {10});
  cell.hit(cell.function("kvm_exit"), own, {10});
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok()) << profile.error().to_string();
  const LengthReport length = length_of(*profile);
  EXPECT_EQ(length.added, 3U);
  EXPECT_EQ(length.added_deferred, 0U);
  EXPECT_EQ(length.added_known, 2U);
  ASSERT_EQ(length.late.size(), 1U);
  EXPECT_EQ(length.late[0].functions, 3U);
  EXPECT_EQ(length.late[0].deferred, 0U);
  EXPECT_EQ(length.late[0].known, 2U) << "kvm_exit came by both ways at once";
}

TEST(Length, AnOlderRecordingSaysNothingOfItsLength) {
  SampleCell cell = busy_cell();
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok());
  const LengthReport length = length_of(*profile);
  EXPECT_EQ(length.until, "");
  EXPECT_EQ(length.windows, 0U);
  EXPECT_FALSE(length.added);
  EXPECT_EQ(sentences(length).size(), 1U) << "what came late is told all the same";
}

TEST(Length, DamagedFactsAreUnknown) {
  SampleCell cell = busy_cell();
  cell.meta["steady_verdict"] = "steady";
  cell.meta["steady_windows"] = "many";
  cell.meta["steady_growth"] = "1e";
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok());
  EXPECT_EQ(length_of(*profile).windows, 0U);
  EXPECT_FALSE(length_of(*profile).foretold);
}

SampleCell idle_cell() {
  SampleCell cell;
  lengthen(cell, 36);  // forty serve windows
  cell.meta["workload"] = "idle";
  cell.task("sleep", "/hap/cell", 100);
  const auto agent = cell.task("hap-agent", "/hap/load", 50);
  const auto kworker = cell.task("kworker/0:1", "/", 30, 2, true);
  cell.scope.push_back({"cgroup", "/hap/load", "load"});
  std::vector<uint32_t> every, half;
  for (uint32_t id = 2; id < 42; ++id) {
    every.push_back(id);
    if (id % 2 == 0) half.push_back(id);
  }
  cell.hit(cell.function("tcp_ack"), cell.actor(kworker, Cause::hardirq), half);
  cell.hit(cell.function("tcp_sendmsg"), cell.actor(agent), every);
  return cell;
}

SampleCell working_cell() {
  SampleCell cell;
  lengthen(cell, 36);
  const auto own = cell.actor(cell.task("redis-server", "/hap/cell", 100));
  std::vector<uint32_t> every, half;
  for (uint32_t id = 2; id < 42; ++id) {
    every.push_back(id);
    if (id % 2 == 0) half.push_back(id);
  }
  cell.hit(cell.function("tcp_sendmsg"), own, every);
  cell.hit(cell.function("tcp_ack"), own, half);
  return cell;
}

TEST(IdleBaseline, RatesNotSetsAreCompared) {
  SampleCell idle_source = idle_cell();
  SampleCell working_source = working_cell();
  const auto idle = idle_source.profile();
  const auto working = working_source.profile();
  ASSERT_TRUE(idle.ok() && working.ok());
  EXPECT_TRUE(idle->usable().ok()) << "an idle recording needs no load: " << idle->usable().error().message();
  const auto baseline = compare_with_idle(*working, *idle, "idle.hap");
  ASSERT_TRUE(baseline.ok()) << baseline.error().to_string();
  EXPECT_EQ(baseline->idle.windows, 40U);
  EXPECT_DOUBLE_EQ(baseline->idle.seconds, 1);
  std::map<std::string, const BaselineFunction*> by_name;
  for (const auto& function : baseline->comparison.functions) by_name[function.function] = &function;
  ASSERT_EQ(by_name.size(), 2U);
  EXPECT_EQ(by_name["tcp_sendmsg"]->seen_idle, 0U) << "the load generator's code is not the machine's";
  EXPECT_EQ(by_name["tcp_sendmsg"]->origin, Origin::workload);
  EXPECT_EQ(by_name["tcp_ack"]->seen_idle, 20U) << "whatever the context";
  EXPECT_EQ(by_name["tcp_ack"]->origin, Origin::background);
  EXPECT_EQ(baseline->files.size(), 2U);
  EXPECT_THAT(sentences(*baseline)[2], HasSubstr("tcp_ack (20 of 40, idle 20 of 40)"));

  ReportOptions with_baseline;
  with_baseline.baseline = *baseline;
  Report report = make_report(*working, "cell.hap", with_baseline);
  const auto json = to_json(report);
  EXPECT_EQ(json["baseline"]["background"], 1);
  EXPECT_EQ(json["baseline"]["workload"], 1);
  EXPECT_EQ(json["hap"]["functions"]["value"], 2) << "nothing is subtracted";
}

TEST(IdleBaseline, OtherRecordingsAreNoBaseline) {
  SampleCell idle_source = idle_cell();
  SampleCell working_source = working_cell();
  const auto working = working_source.profile();
  ASSERT_TRUE(working.ok());
  EXPECT_EQ(compare_with_idle(*working, *working, "x.hap").error().kind(), ErrorKind::usage);
  idle_source.meta["kernel_build_id"] = "another";
  const auto other = idle_source.profile();
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(compare_with_idle(*working, *other, "x.hap").error().kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace hap::report
