// `--until steady` on the four workloads: does what was said at the stop hold when the run goes on? And two
// processors, and an idle machine: is nothing lost there?
#include <fstream>

#include "program/hap_program.h"

namespace hap::testing {
namespace {

class Steady : public ScratchTest {
 protected:
  // Reports by workload, of docker-default as `hap measure` does it by itself, gone on to four times the
  // length.
  std::map<std::string, nlohmann::json> continued(const std::vector<std::string>& workloads) {
    std::ofstream(scratch("campaign.toml"))
        << "name = \"steady\"\nsandboxes = [\"docker-default\"]\nworkloads = "
        << nlohmann::json(workloads).dump() << "\nparallel = 2\nprofile = \"published\"\nuntil = \"steady\"\n"
        << "options = [\"--continue-to\", \"4\"]\n";
    const auto seen =
        hap({"campaign", scratch("campaign.toml"), "-o", scratch("cells")}, {}, std::chrono::seconds(1700));
    EXPECT_EQ(seen.exit_code, 0) << seen.out << seen.err;
    std::map<std::string, nlohmann::json> reports;
    for (const std::string& workload : workloads) {
      const auto report = hap(
          {"report", scratch("cells") + "/docker-default." + workload + ".b1.r1.hap", "--format", "json"});
      EXPECT_EQ(report.exit_code, 0) << report.err;
      if (report.exit_code == 0) reports[workload] = report.json();
    }
    return reports;
  }
};

// Intent: a run that goes on to four times the length at which it stopped adds at most 2 % functions, all of
// it within the interval stated at the stop, and what came late on the way is named.
TEST_F(Steady, FourTimesTheLengthAddsWhatWasForetold) {
  const auto reports = continued({"redis-set", "redis-get", "node-express", "python-tornado"});
  ASSERT_EQ(reports.size(), 4U);
  for (const auto& [workload, json] : reports) {
    SCOPED_TRACE(workload);
    const auto& length = json["length"];
    ASSERT_EQ(length["until"], "steady");
    // The cap is a stop as well: what is foretold there has to hold as much.
    EXPECT_TRUE(length["verdict"] == "steady" || length["verdict"] == "cap") << length["verdict"];
    const double windows = length["windows"].get<double>();
    EXPECT_GE(windows, 60) << "five minutes of the machine's own time";
    EXPECT_EQ(length["all_windows"].get<double>(), 4 * windows);
    const double added = length["functions_added"].get<double>();
    const double before = json["hap"]["functions"]["value"].get<double>() - added;
    // Two kinds of rare arrivals are named as what they are: deferred work that lands on the sandbox's
    // account once in a thousand seconds, and what interrupts had run on top of its threads all along and one
    // of them now runs itself.
    const double deferred = length["functions_added_deferred"].get<double>();
    const double known = length["functions_added_known"].get<double>();
    for (const auto& arrival : length["late_arrivals"]) {
      EXPECT_FALSE(arrival["names"].empty());
      if (arrival["window"].get<double>() <= windows) continue;
      std::printf("%s: came late: %s\n", workload.c_str(), arrival.dump().c_str());
    }
    std::printf(
        "%s: %s after %.0f windows, %.0f functions; going on to %.0f added %.0f (%.1f %%), %.0f of them "
        "deferred work, %.0f known from interrupts; foretold %s\n",
        workload.c_str(), length["verdict"].get<std::string>().c_str(), windows, before, 4 * windows, added,
        100 * added / before, deferred, known, length["growth_foretold"].dump().c_str());
    EXPECT_LE(added, length["growth_foretold"]["high"].get<double>());
    EXPECT_LE(added - deferred - known, 0.02 * before);
  }
}

class Machines : public ScratchTest {
 protected:
  double functions_of(const std::vector<std::string>& options) {
    const std::string file = scratch("cell.hap");
    std::vector<std::string> command = {"measure",   "--sandbox", "bare", "--workload", "redis-set",
                                        "--profile", "fast",      "-o",   file};
    command.insert(command.end(), options.begin(), options.end());
    const auto seen = hap(command);
    EXPECT_EQ(seen.exit_code, 0) << seen.err;
    const auto json = hap({"report", file, "--format", "json"}).json();
    EXPECT_EQ(json["loss"]["events_lost"], 0);
    EXPECT_GT(json["vap"]["functions"]["value"].get<double>(),
              json["hap"]["functions"]["value"].get<double>() + 100)
        << "the application's own functions are missing: credited to another task?";
    return json["hap"]["functions"]["value"].get<double>();
  }
};

// Intent: with two processors nothing is credited to the wrong task (the collector refuses such a run), so
// the application is complete and the HAP is no smaller than with one.
TEST_F(Machines, TwoProcessors) {
  const double one = functions_of({});
  EXPECT_GE(functions_of({"--cpus", "2"}), 0.95 * one);
}

// Intent: the idle machine can be recorded, and a recording be shown beside it.
TEST_F(Machines, IdleBaseline) {
  const std::string idle = scratch("idle.hap");
  const auto seen = hap({"measure", "--sandbox", "bare", "--workload", "idle", "--until", "requests",
                         "--clock", "instructions", "-o", idle});
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  (void)functions_of({});
  const auto report = hap({"report", scratch("cell.hap"), "--baseline", idle, "--format", "json"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const auto json = report.json();
  const auto& baseline = json["baseline"];
  EXPECT_EQ(baseline["functions"].size(), json["hap"]["functions"]["value"].get<size_t>());
  EXPECT_EQ(baseline["idle_windows"]["count"], 30);
  EXPECT_GT(baseline["workload"].get<int>(), 100) << "an idle machine serves nobody";
  for (const auto& function : baseline["functions"]) {
    if (function["name"] != "tcp_sendmsg") continue;
    EXPECT_EQ(function["origin"], "workload") << function.dump();
  }
}

}  // namespace
}  // namespace hap::testing
