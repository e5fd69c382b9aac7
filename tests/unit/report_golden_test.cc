// The text of a report and of a difference, word for word: tests/golden/*.txt. After a wanted change, run
// with HAP_UPDATE_GOLDEN=1 and look at the difference.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "report/difference.h"
#include "report/formats.h"

namespace hap {
namespace {

FigureSet figures(double functions, double high, std::optional<double> lines) {
  FigureSet set;
  set.metrics = {
      {"functions", {Interval{functions, functions, high}, true, 0}},
      {"function_lines", {Interval{functions * 31, functions * 31, high * 31}, true, 4}},
      {"executed_lines", lines ? Measurement{Interval{*lines, *lines, *lines + 10}, true, 0} : Measurement{}},
      {"code_bytes", {Interval{functions * 150, functions * 150, functions * 160}, true, 0}},
      {"complexity", {Interval{functions * 13, functions * 13, functions * 14}, true, 0}},
  };
  return set;
}

Report sample_report() {
  Report report;
  report.path = "out/redis-set_kvm-qemu.hap";
  report.meta = {{"sandbox", "kvm-qemu"},
                 {"workload", "redis-set"},
                 {"profile", "published"},
                 {"collector", "emulator"},
                 {"granularity", "block"},
                 {"kernel_release", "6.12.0-cloud-amd64"},
                 {"created", "2026-11-22T12:00:00Z"}};
  report.requests = 300;
  report.requests_failed = 0;
  report.hap = figures(1234, 1301, 14567);
  report.hap_with_softirq = figures(1400, 1480, 16789);
  report.hap_without_emulation = figures(1100, 1150, 13000);
  report.vap = figures(5678, 6000, std::nullopt);
  report.stage1 = figures(800, 810, std::nullopt);
  report.stage2 = figures(1234, 1301, 14567);
  report.layers = {{"guest-kernel", figures(1800, 1800, 20001), 9000, 0},
                   {"host-kernel", figures(1400, 1400, 16789), 8000, 2}};
  report.contexts = {{"vcpu", figures(700, 700, 9000), 4000, 2}};
  report.phases = {{Phase::setup, 1, 2.5, std::nullopt, figures(2000, 2000, 22000)},
                   {Phase::serve, 30, 30.0, 300, figures(1234, 1234, 14567)}};
  report.subsystems = {{"virt/kvm", 120, 3400, 1200}, {"arch/x86", 300, 9000, std::nullopt}};
  report.completeness.windows = 30;
  report.completeness.coverage = 0.9987;
  report.completeness.steady_state = false;
  UnseenEstimate unseen;
  unseen.value = 31.4;
  unseen.low = 12;
  unseen.high = 67;
  report.completeness.unseen = unseen;
  report.completeness.warnings = {CompletenessWarning::still_growing};
  report.loss.events_lost = 0;
  report.loss.unresolved_addresses = 2;
  report.loss.others = {{"memory_read_failed", 3, ""}, {"blind_ns", 0, ""}};
  report.loss.without_symbols = {{"/usr/bin/qemu-system-x86_64", "no index"}};
  report.permitted.emplace();
  report.permitted->syscalls = 310;
  report.guards = {
      {"scope", Guard::Outcome::passed, "3 rules", ErrorKind::sandbox},
      {"context switches", Guard::Outcome::unknown, "the collector did not count them", ErrorKind::failed},
      {"load served", Guard::Outcome::failed, "0 requests served and verified, 3 failed",
       ErrorKind::workload}};
  return report;
}

report::Difference sample_difference() {
  report::Difference difference;
  difference.before = {"a.hap", "docker-default", "redis-set", "6.12.0", 30};
  difference.after = {"b.hap", "gvisor-systrap", "redis-set", "6.12.0", 30};
  difference.metrics = {
      {"functions", 1000, 1250}, {"executed_lines", 9000, std::nullopt}, {"expected_bugs", 6.5, 7.25}};
  difference.same_kernel = true;
  difference.folders = {
      {"net/ipv4",
       900,
       100,
       60,
       12,
       2,
       50,
       5,
       805,
       {{"task", "softirq"}, {{"sendto", true}, {"sock_write_iter", false}, {"connect", true}}}},
      {"lib", std::nullopt, std::nullopt, 3, 2, 0, 1, std::nullopt, std::nullopt, {{"vcpu"}, {}}}};
  difference.only_before = {
      {"tcp_ack", "net/ipv4/tcp_input.c", "net/ipv4", 240, 31, 0, 30, 0, {{"softirq"}, {}}}};
  difference.only_after = {{"a_function_with_a_name_that_is_far_too_long_for_its_column",
                            "",
                            "[kvm]",
                            std::nullopt,
                            std::nullopt,
                            std::nullopt,
                            0,
                            2,
                            {{"task"}, {{"ioctl", true}, {"read", true}}}},
                           {"evil\x1b[2J|`name`\n", "a\tb.c", "fs", 3, 0, 1, 0, 1, {{"task"}, {}}}};
  difference.changed = {
      {"vfs_read", "fs/read_write.c", "fs", 30, 10, 12, 30, 30, {{"task", "kthread"}, {{"pread64", true}}}}};
  difference.syscalls_only_before = {"epoll_wait"};
  difference.syscalls_only_after = {"ioctl", "ppoll"};
  difference.in_both = 950;
  return difference;
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(HAP_SOURCE_DIR) + "/tests/golden/" + name;
  if (std::getenv("HAP_UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(write_file_atomic(path, text).ok());
  }
  const auto golden = read_file(path);
  ASSERT_TRUE(golden.ok()) << golden.error().to_string();
  EXPECT_EQ(text, *golden);
}

TEST(Golden, ReportText) {
  expect_golden("report.txt", report::render_text({sample_report()}));
}
TEST(Golden, DifferenceText) {
  expect_golden("diff.txt", render_text(sample_difference()));
}
TEST(Golden, DifferenceMarkdown) {
  expect_golden("diff.md", render_markdown(sample_difference()));
}

}  // namespace
}  // namespace hap
