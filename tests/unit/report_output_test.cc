// What users and programs get: JSON that obeys its schema, text that fits a terminal, CSV and lcov that
// parse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "report/formats.h"
#include "sample_cell.h"
#include "schema_check.h"

namespace hap {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::SampleCell;
using testing_support::SampleImages;
using testing_support::schema_violation;
using testing_support::validator_there;

// A virtual machine: VMM, vCPU, guest, a soft interrupt, work, an emulated part, a neighbour and the load.
SampleCell rich_cell() {
  SampleCell cell;
  cell.meta["sandbox"] = "kvm-qemu";
  cell.conditions = {{"clock", "wall"}, {"cpu", "max"}};
  cell.losses = {{"events_lost", 0, ""}, {"memory_read_failed", 2, "user stack"}};
  const auto guest =
      cell.image(ImageKind::kernel, Space::guest, "vmlinux", SampleImages::get().kernel_build_id());
  const auto qemu = cell.image(ImageKind::user, Space::host, "/usr/bin/qemu-system-x86_64");
  cell.scope = {{"pid", "200", "sandbox"},
                {"tid", "201", "vcpu"},
                {"netdev", "tap0", "sandbox"},
                {"pid", "300", "load"}};
  const auto vmm = cell.task("qemu", "/vm", 200);
  const auto vcpu = cell.task("CPU 0/KVM", "/vm", 201);
  cell.tasks.back().tgid = 200;
  const auto kworker = cell.task("kworker/0:1", "/", 30, 2, true);
  const auto idle = cell.task("swapper/0", "/", 0, 0, true);
  const auto load = cell.task("bench,\"x\"", "/", 300);
  const auto range = SampleImages::get().range("tcp_ack");
  cell.hit(cell.function("vfs_read"), cell.actor(vmm), {2, 3});
  cell.hit(cell.function("kvm_exit"), cell.actor(vcpu));
  cell.hit(cell.function("tcp_sendmsg"), cell.actor(vcpu, Cause::process, OwnerKind::emulation));
  cell.hit(cell.function("tcp_ack"), cell.actor(idle, Cause::softirq, OwnerKind::netdev, 0, "tap0@1"),
           {1, 2});
  cell.hit(cell.function("vfs_read"), cell.actor(kworker, Cause::process, OwnerKind::work, vmm), {4});
  cell.hit(cell.function("vfs_read"), cell.actor(vcpu, Cause::hardirq), {4});
  cell.hit(cell.function("vfs_read"), cell.actor(load));
  cell.hit(cell.block(guest, range.begin, 8), cell.actors[1].id);
  cell.hit(cell.block(qemu, 0x1000, 8), cell.actors[0].id);
  return cell;
}

Report report_of(const SampleCell& cell) {
  const auto profile = cell.profile();
  EXPECT_TRUE(profile.ok()) << (profile.ok() ? "" : profile.error().to_string());
  EXPECT_TRUE(profile->usable().ok()) << profile->usable().error().message();
  return make_report(*profile, "cell.hap");
}

TEST(ReportJson, ObeysItsSchema) {
  if (!validator_there()) GTEST_SKIP() << "python3-jsonschema is not installed (scripts/packages-test.txt)";
  const auto report = report_of(rich_cell());
  EXPECT_EQ(schema_violation("report", report::render_json({report})), "");
  EXPECT_EQ(schema_violation("report", report::render_json({report, report})), "");
  auto broken = report::to_json(report);
  broken["hap"]["functions"]["value"] = "many";
  EXPECT_NE(schema_violation("report", broken.dump()), "") << "the schema must be able to refuse";
  broken = report::to_json(report);
  broken["layers"][0]["name"] = "kernel";
  EXPECT_NE(schema_violation("report", broken.dump()), "");
  broken = report::to_json(report);
  broken.erase("completeness");
  EXPECT_NE(schema_violation("report", broken.dump()), "");
}

TEST(ReportJson, CarriesTheFiguresOfTheContract) {
  const auto json = report::to_json(report_of(rich_cell()));
  EXPECT_EQ(json["schema"], "hapmeter.report/1");
  EXPECT_EQ(json["sandbox"], "kvm-qemu");
  EXPECT_EQ(json["served"]["requests"], 300);
  EXPECT_EQ(json["windows"], 4);
  EXPECT_EQ(json["hap"]["functions"]["value"], 3);  // vfs_read, kvm_exit, tcp_sendmsg
  EXPECT_EQ(json["hap_without_emulation"]["functions"]["value"], 2);
  EXPECT_EQ(json["hap_with_softirq"]["functions"]["value"], 4);  // and tcp_ack
  EXPECT_EQ(json["hap"]["function_lines"]["value"], 8 + 5 + 5);
  EXPECT_EQ(json["hap"]["complexity"].is_null(), false);
  EXPECT_EQ(json["vap"]["functions"]["value"], 5) << "the guest's tcp_ack is another one";
  EXPECT_EQ(json["stage2"]["functions"]["value"], 3);
  EXPECT_TRUE(json["stage1"]["function_lines"].is_null()) << "qemu has no symbols: unknown, not zero";
  EXPECT_EQ(json["stage1"]["code_bytes"]["value"], 8);
  EXPECT_TRUE(json["known_cves"].is_null());
  EXPECT_TRUE(json["permitted"].is_null());
  EXPECT_EQ(json["loss"]["events_lost"], 0);
  EXPECT_EQ(json["loss"]["others"][0]["count"], 2);
  EXPECT_EQ(json["beside"]["interrupts"]["functions"], 1);
  uint64_t hits = 0;
  for (const auto& account : json["accounts"]) hits += account["hits"].get<uint64_t>();
  EXPECT_EQ(hits, rich_cell().hits.size());
}

TEST(ReportJson, FunctionsAreListedPerLayerAndContext) {
  const auto json = report::to_json(report_of(rich_cell()));
  std::vector<std::string> rows;
  for (const auto& each : json["functions"]) {
    rows.push_back(each["name"].get<std::string>() + " " + each["layer"].get<std::string>() + " " +
                   each["context"].get<std::string>() + " " + std::to_string(each["hits"].get<int>()) +
                   (each.contains("inlined") ? " inlined" : "") + (each.contains("label") ? " label" : "") +
                   (each.contains("emulation") ? " emulation" : ""));
  }
  EXPECT_THAT(rows, ::testing::UnorderedElementsAre(
                        "vfs_read host-kernel task 2", "vfs_read host-kernel kthread 1",
                        "vfs_read host-kernel hardirq 1", "kvm_exit host-kernel vcpu 4",
                        "tcp_sendmsg host-kernel vcpu 4 emulation", "tcp_ack host-kernel softirq 1",
                        "twice host-kernel task 2 inlined", "twice host-kernel kthread 1 inlined",
                        "twice host-kernel hardirq 1 inlined", "twice host-kernel vcpu 4 inlined emulation",
                        "tcp_ack guest-kernel vcpu 4", "[unresolved] sandbox task 4 label"));
}

TEST(ReportJson, IntervalsHoldTheirValue) {
  const auto json = report::to_json(report_of(rich_cell()));
  for (const auto* set : {"hap", "hap_with_softirq", "vap", "stage2"}) {
    for (const auto& [name, figure] : json[set].items()) {
      if (figure.is_null()) continue;
      EXPECT_LE(figure["low"], figure["value"]) << set << " " << name;
      EXPECT_GE(figure["high"], figure["value"]) << set << " " << name;
    }
  }
}

TEST(ReportJson, LostEventsWidenTheInterval) {
  auto cell = rich_cell();
  cell.windows.clear();
  for (uint32_t id = 1; id <= 12; ++id)
    cell.windows.push_back({id, Phase::serve, id * 100, id * 100 + 100, 1});
  const auto before = report_of(cell).hap.find("functions")->value;
  cell.losses[0].count = 50;
  const auto after = report_of(cell).hap.find("functions")->value;
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->value, before->value);
  EXPECT_EQ(after->high, before->high + 50);
}

TEST(ReportText, FitsAHundredColumnsAndSaysWhatItMeasured) {
  auto cell = rich_cell();
  cell.meta["kernel_release"] = "6.12.117+deb13-cloud-amd64";
  const auto text = report::render_text({report_of(cell), report_of(cell)});
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  EXPECT_THAT(text, HasSubstr("redis-set in kvm-qemu"));
  EXPECT_THAT(text, HasSubstr("300 requests served and verified"));
  EXPECT_THAT(text, HasSubstr("HAP with softirqs"));
  EXPECT_THAT(text, HasSubstr("stage 2 (host)"));
}

TEST(ReportText, AFailedCheckIsShown) {
  auto cell = rich_cell();
  cell.meta["requests"] = "0";
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok());
  EXPECT_THAT(report::render_text({make_report(*profile, "cell.hap")}),
              HasSubstr("check \"load served\": FAILED"));
}

TEST(ReportCsv, HasOneLinePerFunctionAndQuotes) {
  auto cell = rich_cell();
  cell.meta["workload"] = "mine, \"special\"";
  const auto report = report_of(cell);
  const auto csv = report::render_csv({report});
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), static_cast<long>(report.functions.size()) + 1);
  EXPECT_THAT(csv, HasSubstr("cell.hap,kvm-qemu,\"mine, \"\"special\"\"\",vfs_read,fs/read_write.c,3,8,"));
}

TEST(ReportLcov, ShowsWhatRanAndWhatDidNot) {
  SampleCell cell;
  const auto range = SampleImages::get().range("vfs_read");
  cell.hit(cell.block(1, range.begin, 4), cell.actor(cell.task("redis", "/hap/cell", 100)), {2, 4});
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok());
  const auto resolver =
      Resolver::open(SampleCell::resolver_options(),
                     {{ImageKind::kernel, SampleImages::get().kernel_build_id(), "vmlinux"}});
  ASSERT_TRUE(resolver.ok());
  const auto lcov = report::render_lcov(*profile, *resolver, "redis-set in docker", "/src/linux");
  EXPECT_THAT(lcov, HasSubstr("TN:redis_set_in_docker\nSF:/src/linux/fs/read_write.c\n"));
  EXPECT_THAT(lcov, HasSubstr("FN:3,vfs_read\nFNDA:2,vfs_read\n"));
  EXPECT_THAT(lcov, HasSubstr(",2\n"));
  EXPECT_THAT(lcov, HasSubstr("DA:9,0\n")) << "the return statement has code and did not run";
  EXPECT_THAT(lcov, Not(HasSubstr("tcp.c"))) << "files that were not touched are left out";
  EXPECT_THAT(lcov, HasSubstr("end_of_record\n"));
}

}  // namespace
}  // namespace hap
