// A campaign that is killed goes on where it was; a cell that fails keeps its reason while others are
// measured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/subprocess.h"
#include "program/hap_program.h"

namespace hap::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Campaign : public ScratchTest {
 protected:
  void write_cells() const {
    std::ofstream(scratch("cells.toml")) << R"(
name = "resumed"
sandboxes = ["bare"]
workloads = ["redis-set"]
repeats = 2
profile = "fast"
parallel = 1
[[cell]]
sandbox = "bare"
workload = "redis-set"
label = "wrong"
repeats = 1
options = ["--windows", "many"]
)";
  }
  std::vector<std::string> command() const {
    return {"campaign", scratch("cells.toml"), "-o", scratch("cells"), "--format", "json"};
  }
  fs::path recording(const std::string& name) const { return fs::path(scratch("cells")) / (name + ".hap"); }

  // Waits for the first recording of a campaign that it then kills with -9.
  void start_and_kill() const {
    auto process = Subprocess::spawn(hap_command(command(), {}));
    ASSERT_TRUE(process.ok());
    const auto deadline = std::chrono::steady_clock::now() + 300s;
    while (!fs::exists(recording("bare.redis-set.b1.r1")) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(20ms);
    }
    ::kill(process->pid(), SIGKILL);
    const auto status = process->wait_for(10s);
    ASSERT_TRUE(status.ok() && *status);
  }
};

// Intent: after kill -9 the same command measures what is missing and nothing twice.
TEST_F(Campaign, GoesOnWhereItWasKilled) {
  write_cells();
  start_and_kill();
  const auto first = recording("bare.redis-set.b1.r1");
  ASSERT_TRUE(fs::exists(first));
  ASSERT_FALSE(fs::exists(recording("bare.redis-set.b1.r2"))) << "killed too late to show anything";
  const auto before = fs::last_write_time(first);

  const auto seen = hap(command(), {}, 600s);
  EXPECT_EQ(seen.exit_code, 1) << "one cell cannot be measured: " << seen.err;
  EXPECT_EQ(fs::last_write_time(first), before) << "measured again";
  const auto summary = seen.json();
  ASSERT_EQ(summary.at("cells").size(), 3U) << seen.out;
  for (const auto& cell : summary.at("cells")) {
    const bool wrong = cell.value("label", "") == "wrong";
    const bool done_before = cell.at("file") == "bare.redis-set.b1.r1.hap";
    EXPECT_EQ(cell.at("state"), wrong ? "failed" : done_before ? "cached" : "measured") << cell.dump();
    if (wrong) {
      EXPECT_THAT(cell.at("reason").get<std::string>(), ::testing::HasSubstr("many"));
    }
  }
  for (const char* name : {"bare.redis-set.b1.r1", "bare.redis-set.b1.r2"}) {
    const auto report = hap({"report", recording(name).string(), "--format", "json"});
    EXPECT_EQ(report.exit_code, 0) << report.err;
  }
}

}  // namespace
}  // namespace hap::testing
