// Each guard against a wrong number, broken on purpose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_cell.h"

namespace hap {
namespace {

using ::testing::HasSubstr;
using testing_support::SampleCell;

// A cell that passes every guard.
SampleCell good_cell() {
  SampleCell cell;
  cell.hit(cell.function("vfs_read"), cell.actor(cell.task("redis", "/hap/cell", 100)));
  return cell;
}

void expect_failed(const SampleCell& cell, const std::string& guard, ErrorKind blame) {
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok()) << profile.error().to_string();
  const auto usable = profile->usable();
  ASSERT_FALSE(usable.ok());
  EXPECT_THAT(usable.error().message(), HasSubstr("(" + guard + ")"));
  EXPECT_EQ(usable.error().kind(), blame);
  EXPECT_FALSE(usable.error().hint().empty());
}

TEST(Guards, AGoodCellPasses) {
  const auto profile = good_cell().profile();
  ASSERT_TRUE(profile.ok());
  for (const auto& guard : profile->guards()) {
    EXPECT_EQ(guard.outcome, Guard::Outcome::passed) << guard.name << ": " << guard.detail;
  }
  EXPECT_TRUE(profile->usable().ok());
}

TEST(Guards, ALoadThatWasNotServedIsAnErrorAndNoLowScore) {
  auto cell = good_cell();
  cell.meta["requests"] = "0";
  expect_failed(cell, "load served", ErrorKind::workload);
  cell.meta["requests"] = "300";
  cell.meta["requests_failed"] = "1";
  expect_failed(cell, "load served", ErrorKind::workload);
}

TEST(Guards, ASilentContextSwitchHookIsRefused) {
  auto cell = good_cell();
  cell.meta["context_switches"] = "0";
  expect_failed(cell, "context switches", ErrorKind::failed);
}

TEST(Guards, UnpairedMarksAreRefused) {
  auto cell = good_cell();
  cell.meta["marks_paired"] = "0";
  expect_failed(cell, "marks", ErrorKind::failed);
}

TEST(Guards, AVirtualMachineWithoutAVcpuIsRefused) {
  auto cell = good_cell();
  cell.meta["sandbox"] = "kvm-qemu";
  expect_failed(cell, "thread classes", ErrorKind::sandbox);
  cell.meta["sandbox"] = "gvisor-systrap";
  expect_failed(cell, "thread classes", ErrorKind::sandbox);
  cell.meta["sandbox"] = "mine";
  cell.meta["required_roles"] = "application,sandbox";
  expect_failed(cell, "thread classes", ErrorKind::sandbox);
}

TEST(Guards, ASandboxThatNeverRanInPhaseServeIsRefused) {
  SampleCell cell;
  cell.hit(cell.function("vfs_read"), cell.actor(cell.task("redis", "/hap/cell", 100)), {1});
  expect_failed(cell, "thread classes", ErrorKind::sandbox);
}

TEST(Guards, AChildThatLeftTheScopeIsNoticed) {
  auto cell = good_cell();
  const auto child = cell.task("worker", "/elsewhere", 150, 100);
  cell.hit(cell.function("tcp_ack"), cell.actor(child), {1});
  EXPECT_TRUE(cell.profile()->usable().ok()) << "before phase serve that is how sandboxes start";
  cell.hits.back().windows = {2};
  expect_failed(cell, "children followed", ErrorKind::sandbox);
}

TEST(Guards, AProcessMovedIntoTheScopeIsNoLostChild) {
  auto cell = good_cell();
  const auto before = cell.task("worker", "/", 150, 100);
  cell.task("worker", "/hap/cell", 150, 100);  // the same thread, moved
  cell.hit(cell.function("tcp_ack"), cell.actor(before), {2});
  EXPECT_TRUE(cell.profile()->usable().ok());
}

TEST(Guards, AChildThatMovedOutOfTheScopeIsNoticed) {
  auto cell = good_cell();
  cell.task("worker", "/hap/cell", 150, 100);
  const auto after = cell.task("worker", "/elsewhere", 150, 100);  // the same thread, moved
  cell.hit(cell.function("tcp_ack"), cell.actor(after), {2});
  expect_failed(cell, "children followed", ErrorKind::sandbox);
}

TEST(Guards, AScopeOfTheWholeMachineIsRefused) {
  auto cell = good_cell();
  cell.scope = {{"cgroup", "/", "application"}};
  expect_failed(cell, "scope", ErrorKind::sandbox);
  cell.scope.clear();
  expect_failed(cell, "scope", ErrorKind::sandbox);
  cell.scope = {{"cgroup", "/hap/cell", "tenant"}};
  expect_failed(cell, "scope", ErrorKind::sandbox);
}

TEST(Guards, TheMachinesOwnProcessesInTheScopeAreForeign) {
  auto cell = good_cell();
  const auto agent = cell.task("hap-agent", "/hap/cell", 80);
  cell.hit(cell.function("tcp_ack"), cell.actor(agent));
  expect_failed(cell, "nothing foreign", ErrorKind::failed);
}

TEST(Guards, AKernelWithoutSymbolsIsRefused) {
  auto cell = good_cell();
  cell.hit(cell.block(1, 0xffffffff80000000, 8), 1);
  expect_failed(cell, "symbols", ErrorKind::failed);
}

TEST(Guards, ARecordingWithoutPhaseServeIsRefused) {
  auto cell = good_cell();
  for (auto& window : cell.windows) window.phase = Phase::setup;
  expect_failed(cell, "phase serve", ErrorKind::sandbox);
}

TEST(Guards, WhatIsNotRecordedIsUnknownAndNotFailed) {
  auto cell = good_cell();
  for (const auto* key : {"context_switches", "marks_paired", "requests", "requests_failed"})
    cell.meta.erase(key);
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok());
  EXPECT_TRUE(profile->usable().ok());
  EXPECT_EQ(std::count_if(profile->guards().begin(), profile->guards().end(),
                          [](const auto& guard) { return guard.outcome == Guard::Outcome::unknown; }),
            3);
}

}  // namespace
}  // namespace hap
