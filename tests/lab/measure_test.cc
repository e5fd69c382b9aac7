// The main job in the lab machine: each sandbox of the quickstart serves redis and yields a complete
// recording.
#include <fstream>

#include "hap/recording.h"
#include "program/hap_program.h"

namespace hap::testing {
namespace {

class Measure : public ScratchTest, public ::testing::WithParamInterface<const char*> {};

// Intent: a cell in the fast profile is served completely and nothing is lost; its report honours the
// contract.
TEST_P(Measure, ServesAndLosesNothing) {
  const std::string file = scratch("cell.hap");
  const auto seen =
      hap({"measure", "--sandbox", GetParam(), "--workload", "redis-set", "--profile", "fast", "-o", file});
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  const auto report = hap({"report", file, "--format", "json"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const auto json = report.json();
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["schema"], "hapmeter.report/1");
  EXPECT_EQ(json["sandbox"], GetParam());
  EXPECT_EQ(json["collector"], "emulator");
  EXPECT_GE(json["served"]["requests"].get<int>(), 50);
  EXPECT_EQ(json["served"]["failed"], 0);
  EXPECT_EQ(json["loss"]["events_lost"], 0);
  EXPECT_GT(json["hap"]["functions"]["value"].get<double>(), 100);
  EXPECT_GE(json["hap_with_softirq"]["functions"]["value"], json["hap"]["functions"]["value"]);
  EXPECT_GT(json["hap"]["executed_lines"]["value"].get<double>(),
            json["hap"]["functions"]["value"].get<double>());
  EXPECT_GT(json["hap"]["function_lines"]["value"], json["hap"]["executed_lines"]["value"]);
  EXPECT_EQ(json["phases"].size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Sandboxes, Measure,
                         ::testing::Values("bare", "docker-default", "gvisor-systrap", "kvm-qemu"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class Interrupted : public ScratchTest {};

int qemu_processes_of(const std::string& marker) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream environment(entry.path() / "environ", std::ios::binary);
    std::ifstream comm(entry.path() / "comm");
    std::string name;
    std::getline(comm, name);
    if (name.rfind("qemu-system", 0) != 0) continue;
    const std::string all((std::istreambuf_iterator<char>(environment)), {});
    if (all.find(marker) != std::string::npos) ++count;
  }
  return count;
}

// Intent: whenever hap is killed, its machine is gone at once, its temporary files at the next start, and no
// half-readable recording is left.
TEST_F(Interrupted, KillAndCtrlCLeaveNothingBehind) {
  const std::string marker = "HAP_TEST_MARKER=" + scratch("marker");
  const std::vector<int> moments_ms = {50, 400, 900, 1500, 2500, 4000};
  for (const int signal_number : {SIGKILL, SIGINT}) {
    for (const int moment : moments_ms) {
      const std::string file = scratch("killed.hap");
      auto process = Subprocess::spawn(
          hap_command({"measure", "--sandbox", "bare", "--workload", "redis-set", "-o", file},
                      {{"HAP_TEST_MARKER", scratch("marker")}}));
      ASSERT_TRUE(process.ok());
      ::usleep(static_cast<useconds_t>(moment) * 1000);
      ::kill(process->pid(), signal_number);
      const auto status = process->wait_for(std::chrono::seconds(10));
      ASSERT_TRUE(status.ok() && *status) << "hap still runs after signal " << signal_number;
      ::usleep(200000);
      EXPECT_EQ(qemu_processes_of(marker), 0) << "after " << moment << " ms and signal " << signal_number;
      EXPECT_FALSE(std::filesystem::exists(file));
    }
  }
  // The next start cleans.
  EXPECT_EQ(hap({"list", "sandboxes"}).exit_code, 0);
  const char* home = std::getenv("HOME");
  const char* cache = std::getenv("HAP_CACHE_DIR");
  const auto tmp =
      std::filesystem::path(cache != nullptr ? cache : std::string(home) + "/.cache/hapmeter") / "tmp";
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(tmp, code)) {
    // Folders of other running haps are locked; ours are gone.
    EXPECT_NE(reap_abandoned(tmp), 1) << entry.path();
  }
}

}  // namespace
}  // namespace hap::testing
