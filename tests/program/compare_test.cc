// `hap compare` as a user meets it, on reports whose truth is known because the test wrote them.
#include <fstream>

#include "program/hap_program.h"

namespace hap::testing {
namespace {

using nlohmann::json;

class Compare : public ScratchTest {
 protected:
  // A report with `common` functions in net/ and `own` functions in drivers/, 20 lines each.
  void write_report(const std::string& sandbox, const std::string& workload, int boot, int repeat, int common,
                    int own) {
    json functions = json::array();
    const auto add = [&](const std::string& name, const std::string& file) {
      functions.push_back({{"name", name},
                           {"file", file},
                           {"line", 1},
                           {"lines", 20},
                           {"executed_lines", 5},
                           {"layer", "host-kernel"},
                           {"context", "task"},
                           {"hits", 3}});
    };
    for (int i = 0; i < common; ++i) add("common_" + std::to_string(i), "net/core/dev.c");
    for (int i = 0; i < own; ++i) add(sandbox + "_" + std::to_string(i), "drivers/net/tun.c");
    json figures;
    const int hit = common + own;
    for (const char* metric : {"functions", "function_lines", "executed_lines", "code_bytes", "complexity"}) {
      figures[metric] = {{"value", hit}, {"low", hit}, {"high", hit + 2}};
    }
    const json report = {{"schema", "hapmeter.report/1"},
                         {"sandbox", sandbox},
                         {"workload", workload},
                         {"collector", "emulator"},
                         {"boot", "boot-" + std::to_string(boot)},
                         {"kernel", {{"release", "6.12"}, {"build_id", "abcd"}}},
                         {"hap", figures},
                         {"hap_with_softirq", figures},
                         {"completeness", {{"steady_state", true}, {"coverage", 0.995}}},
                         {"loss", {{"events_lost", 0}}},
                         {"functions", functions}};
    std::ofstream(scratch(sandbox + "." + workload + ".b" + std::to_string(boot) + ".r" +
                          std::to_string(repeat) + ".json"))
        << report;
  }

  // Two workloads, three boots, two repeats: `wide` has twenty functions more than `lean` in every one.
  void write_campaign(int boots) {
    for (const char* workload : {"load-a", "load-b"}) {
      for (int boot = 1; boot <= boots; ++boot) {
        for (int repeat = 1; repeat <= 2; ++repeat) {
          write_report("lean", workload, boot, repeat, 200 + boot + repeat, 10);
          write_report("wide", workload, boot, repeat, 200 + boot + repeat, 30);
        }
      }
    }
  }

  json compared(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"compare", scratch(""), "--format", "json"});
    const auto seen = hap(options, home());
    EXPECT_EQ(seen.exit_code, 0) << seen.err;
    return seen.json();
  }

  std::map<std::string, std::string> home() const {
    return {{"HAP_CACHE_DIR", scratch("cache")}, {"XDG_DATA_HOME", scratch("data")}};
  }
};

const json& ranking_of(const json& workload, const std::string& metric, const std::string& scope) {
  for (const auto& ranking : workload["rankings"]) {
    if (ranking["metric"] == metric && ranking["scope"] == scope) return ranking;
  }
  static const json none;
  return none;
}

TEST_F(Compare, AnOrderThatHoldsEverywhereIsCalledRobust) {
  write_campaign(3);
  const json result = compared();
  ASSERT_EQ(result["schema"], "hapmeter.compare/1");
  ASSERT_EQ(result["workloads"].size(), 2U);
  for (const auto& workload : result["workloads"]) {
    ASSERT_EQ(workload["pairs"].size(), 1U);
    EXPECT_EQ(workload["pairs"][0]["verdict"], "robust") << workload["pairs"].dump(1);
    for (const char* scope : {"hap", "hap_with_softirq"}) {
      const auto& ranking = ranking_of(workload, "functions", scope);
      ASSERT_FALSE(ranking.is_null());
      EXPECT_EQ(ranking["order"][0]["sandbox"], "lean");
      EXPECT_EQ(ranking["order"][0]["boots"], 3);
      EXPECT_EQ(ranking["order"][0]["recordings"], 6);
      EXPECT_GT(ranking["order"][0]["sd_between_boots"].get<double>(), 0);
      EXPECT_GE(ranking["pairs"][0]["probability"].get<double>(), 0.95);
    }
  }
  const auto text = hap({"compare", scratch("")}, home());
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find("lean"), std::string::npos);
}

TEST_F(Compare, TooFewBootsAreSaidNotPaperedOver) {
  write_campaign(2);
  const json result = compared();
  for (const auto& workload : result["workloads"]) {
    EXPECT_EQ(workload["pairs"][0]["verdict"], "untested");
    const auto& ranking = ranking_of(workload, "functions", "hap");
    EXPECT_TRUE(ranking["pairs"][0]["probability"].is_null());
    EXPECT_TRUE(ranking["order"][0]["low"].is_null());
    EXPECT_FALSE(ranking["order"][0]["not_enough"].is_null());
  }
}

TEST_F(Compare, ADensityThatTurnsTheOrderIsSeen) {
  // Many lines in net/ against few in drivers/: the order of expected bugs depends on the density of each.
  for (int boot = 1; boot <= 3; ++boot) {
    for (int repeat = 1; repeat <= 2; ++repeat) {
      write_report("networker", "load-a", boot, repeat, 150 + boot + repeat, 0);
      write_report("driver", "load-a", boot, repeat, boot + repeat, 100);
    }
  }
  std::ofstream(scratch("table.toml")) << "name = \"drivers\"\nsource = \"made up\"\notherwise = 0.1\n"
                                          "[density]\ndrivers = 5.0\n";
  const json result = compared({"--density", scratch("table.toml"), "--sigma", "0.1"});
  ASSERT_FALSE(result.is_discarded());
  EXPECT_EQ(result["workloads"][0]["pairs"][0]["verdict"], "depends")
      << result["workloads"][0]["pairs"].dump();
  bool seen = false;
  for (const auto& entry : result["workloads"][0]["agreement"]) {
    seen |= entry["tau_b"].is_number() && entry["tau_b"].get<double>() < 0;
  }
  EXPECT_TRUE(seen) << "Kendall's tau between the models is negative";
}

TEST_F(Compare, TheSameSeedGivesTheSameBytes) {
  write_campaign(3);
  const auto a = hap({"compare", scratch(""), "--format", "json", "--seed", "7"}, home());
  const auto b = hap({"compare", scratch(""), "--format", "json", "--seed", "7"}, home());
  EXPECT_EQ(a.out, b.out);
}

TEST_F(Compare, WrongUseIsToldApart) {
  write_campaign(3);
  EXPECT_EQ(hap({"compare", scratch("no-such")}, home()).exit_code, 2);
  EXPECT_EQ(hap({"compare", scratch(""), "--workload", "no-such"}, home()).exit_code, 2);
  std::ofstream(scratch("broken.json")) << "{\"schema\": \"hapmeter.report/1\", \"functions\": [{";
  const auto broken = hap({"compare", scratch("broken.json")}, home());
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_NE(broken.err.find("broken.json"), std::string::npos);
}

}  // namespace
}  // namespace hap::testing
