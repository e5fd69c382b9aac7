// hap compare on reports made up so that the answer is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "hap/compare.h"
#include "json_schema.h"
#include "measure/random.h"

namespace hap {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A sandbox's true figures; a report varies about them.
struct Truth {
  std::string sandbox;
  double functions;
  double complexity;
  double softirq = 0.1;  // share that softirqs add
};

ReportSummary report_of(const Truth& truth, const std::string& workload, int boot, measure::Random& random,
                        double noise) {
  ReportSummary report;
  report.path = truth.sandbox + ".json";
  report.sandbox = truth.sandbox;
  report.workload = workload;
  report.collector = "emulator";
  report.kernel = "6.12";
  report.boot = std::to_string(boot);
  const double f = truth.functions + noise * random.normal();
  const double c = truth.complexity + noise * random.normal();
  report.figures[0] = {{"functions", Interval{f, f, f + 3}}, {"complexity", Interval{c, c, c + 3}}};
  const double more = 1 + truth.softirq;
  report.figures[1] = {{"functions", Interval{f * more, f * more, f * more + 3}},
                       {"complexity", Interval{c * more, c * more, c * more + 3}}};
  for (int i = 0; i < static_cast<int>(truth.functions); ++i) {
    report.functions.push_back(
        {"f" + std::to_string(i), i % 3 == 0 ? "net/core/dev.c" : "mm/memory.c", 20, false});
  }
  return report;
}

std::vector<ReportSummary> campaign(const std::vector<Truth>& truths,
                                    const std::vector<std::string>& workloads, int boots = 3, int repeats = 3,
                                    double noise = 2) {
  measure::Random random(11);
  std::vector<ReportSummary> reports;
  for (const std::string& workload : workloads) {
    for (const Truth& truth : truths) {
      for (int boot = 0; boot < boots; ++boot) {
        for (int repeat = 0; repeat < repeats; ++repeat) {
          reports.push_back(report_of(truth, workload, boot, random, noise));
        }
      }
    }
  }
  return reports;
}

Comparison compared(std::vector<ReportSummary> reports, CompareOptions options = {}) {
  auto comparison = compare_reports(std::move(reports), std::move(options));
  EXPECT_TRUE(comparison.ok()) << comparison.error().to_string();
  return comparison.ok() ? std::move(comparison).value() : Comparison{};
}

const PairVerdict* pair_of(const WorkloadComparison& workload, const std::string& a, const std::string& b) {
  for (const PairVerdict& pair : workload.pairs) {
    if ((pair.a == a && pair.b == b) || (pair.a == b && pair.b == a)) return &pair;
  }
  return nullptr;
}

const Ranking* ranking_of(const WorkloadComparison& workload, const std::string& name,
                          Scope scope = Scope::hap) {
  for (const Ranking& ranking : workload.rankings) {
    if (ranking.name() == name && ranking.scope == scope) return &ranking;
  }
  return nullptr;
}

TEST(Compare, AClearOrderIsRobust) {
  const Comparison comparison =
      compared(campaign({{"kvm-qemu", 300, 500}, {"docker-default", 900, 1500}}, {"redis-set"}));
  ASSERT_EQ(comparison.workloads.size(), 1U);
  const WorkloadComparison& workload = comparison.workloads[0];
  const PairVerdict* pair = pair_of(workload, "kvm-qemu", "docker-default");
  ASSERT_NE(pair, nullptr);
  EXPECT_EQ(pair->verdict, Verdict::robust);
  EXPECT_EQ(pair->a, "kvm-qemu");
  EXPECT_THAT(workload.conclusions,
              Contains(HasSubstr("Robust: kvm-qemu is below docker-default in all 6 rankings")));
  const Ranking* ranking = ranking_of(workload, "functions");
  ASSERT_NE(ranking, nullptr);
  EXPECT_EQ(ranking->order.front().sandbox, "kvm-qemu");
  ASSERT_TRUE(ranking->pairs[0].probability.has_value());
  EXPECT_GT(*ranking->pairs[0].probability, 0.99);
}

// The contradiction in the published figure: Kata below Docker in functions, above it in complexity.
TEST(Compare, AnOrderThatFlipsWithTheMetricIsCalledThat) {
  const Comparison comparison =
      compared(campaign({{"kata", 380, 758}, {"docker", 499, 690}}, {"node-express"}));
  const WorkloadComparison& workload = comparison.workloads[0];
  const PairVerdict* pair = pair_of(workload, "kata", "docker");
  ASSERT_NE(pair, nullptr);
  EXPECT_EQ(pair->verdict, Verdict::depends);
  EXPECT_THAT(workload.conclusions, Contains(HasSubstr("Depends on the choice")));
  for (const Agreement& agreement : workload.agreement) {
    if (agreement.a == "functions" && agreement.b == "complexity") {
      ASSERT_TRUE(agreement.tau.has_value());
      EXPECT_EQ(*agreement.tau, -1);
    }
  }
}

TEST(Compare, EqualSandboxesAreNotToldApart) {
  const Comparison comparison = compared(campaign({{"a", 500, 900}, {"b", 500, 900}}, {"redis-set"}));
  const PairVerdict* pair = pair_of(comparison.workloads[0], "a", "b");
  ASSERT_NE(pair, nullptr);
  EXPECT_EQ(pair->verdict, Verdict::open);
  EXPECT_THAT(comparison.workloads[0].conclusions, Contains(HasSubstr("Not told apart by any ranking")));
}

// Softirqs turn the order round: the same bridge code runs in softirq for one sandbox, in task context for
// the other.
TEST(Compare, AnOrderThatHoldsOnlyWithoutSoftirqsIsNotRobust) {
  const Comparison comparison =
      compared(campaign({{"veth", 500, 900, 0.6}, {"tap", 600, 1100, 0.0}}, {"redis-set"}));
  const PairVerdict* pair = pair_of(comparison.workloads[0], "veth", "tap");
  ASSERT_NE(pair, nullptr);
  EXPECT_EQ(pair->verdict, Verdict::depends);
}

TEST(Compare, OneBootIsNeverEnoughForAProbability) {
  const Comparison comparison =
      compared(campaign({{"kvm-qemu", 300, 500}, {"docker-default", 900, 1500}}, {"redis-set"}, 1, 9));
  const WorkloadComparison& workload = comparison.workloads[0];
  const Ranking* ranking = ranking_of(workload, "functions");
  ASSERT_NE(ranking, nullptr);
  EXPECT_FALSE(ranking->pairs[0].probability.has_value());
  EXPECT_FALSE(ranking->order[0].spread.interval.has_value());
  EXPECT_EQ(pair_of(workload, "kvm-qemu", "docker-default")->verdict, Verdict::untested);
  EXPECT_THAT(workload.conclusions, Contains(HasSubstr("Not tested: 1 of 1 pairs have fewer than 3 boots")));
  EXPECT_THAT(workload.conclusions, Contains(HasSubstr("the same way round in every ranking: kvm-qemu below "
                                                       "docker-default")));
  EXPECT_THAT(workload.conclusions, Not(Contains(HasSubstr("Robust"))));
}

TEST(Compare, UnknownBootsCountAsOne) {
  auto reports = campaign({{"a", 300, 500}, {"b", 900, 1500}}, {"redis-set"});
  for (ReportSummary& report : reports) report.boot.clear();
  const Comparison comparison = compared(std::move(reports));
  EXPECT_EQ(pair_of(comparison.workloads[0], "a", "b")->verdict, Verdict::untested);
  EXPECT_THAT(comparison.notes, Contains(HasSubstr("18 of 18 recordings do not say which boot")));
}

TEST(Compare, AnUnknownFigureIsListedAndNotRankedAsZero) {
  auto reports = campaign({{"a", 300, 500}, {"b", 900, 1500}}, {"redis-set"});
  for (ReportSummary& report : reports) {
    if (report.sandbox == "b") report.figures[0]["complexity"] = std::nullopt;
  }
  const Comparison comparison = compared(std::move(reports));
  const Ranking* ranking = ranking_of(comparison.workloads[0], "complexity");
  ASSERT_NE(ranking, nullptr);
  ASSERT_EQ(ranking->order.size(), 1U);
  EXPECT_EQ(ranking->order[0].sandbox, "a");
  EXPECT_THAT(ranking->unknown, ElementsAre("b"));
}

// What is missing can undo an order: 300 functions of which many more may be unseen are not surely below 400.
TEST(Compare, UnseenCodeWeakensAnOrder) {
  auto reports = campaign({{"a", 300, 500}, {"b", 400, 600}}, {"redis-set"});
  for (ReportSummary& report : reports) {
    if (report.sandbox != "a") continue;
    for (auto& figures : report.figures) {
      for (auto& [metric, figure] : figures) figure->high = figure->value + 400;
    }
  }
  const Comparison comparison = compared(std::move(reports));
  const Ranking* ranking = ranking_of(comparison.workloads[0], "functions");
  ASSERT_TRUE(ranking->pairs[0].probability.has_value());
  EXPECT_LT(*ranking->pairs[0].probability, 0.9);
  EXPECT_NE(pair_of(comparison.workloads[0], "a", "b")->verdict, Verdict::robust);
}

// Sandboxes that differ by little in different subsystems: whether the order survives depends on how well the
// densities are known.
TEST(Compare, TheDensityPriorDecidesCloseCalls) {
  const auto build = [] {
    measure::Random random(3);
    std::vector<ReportSummary> reports;
    for (int boot = 0; boot < 3; ++boot) {
      for (const bool net : {true, false}) {
        ReportSummary report = report_of({net ? "net" : "mm", 10, 10}, "w", boot, random, 0);
        report.functions.clear();
        report.figures[0].clear();  // nothing is missing
        report.figures[1].clear();
        for (int i = 0; i < (net ? 100 : 110); ++i) {
          report.functions.push_back(
              {"f" + std::to_string(i), net ? "net/core/dev.c" : "mm/memory.c", 10, false});
        }
        reports.push_back(report);
      }
    }
    return reports;
  };
  CompareOptions certain;
  certain.density_sigma = 0;
  const auto sure = compared(build(), certain);
  const auto unsure = compared(build());
  const auto p_sure = ranking_of(sure.workloads[0], "expected_bugs:uniform")->pairs[0].probability;
  const auto p_unsure = ranking_of(unsure.workloads[0], "expected_bugs:uniform")->pairs[0].probability;
  ASSERT_TRUE(p_sure && p_unsure);
  EXPECT_GT(*p_sure, 0.95);
  EXPECT_LT(*p_unsure, 0.7);
}

TEST(Compare, PopularityNeedsTwoWorkloads) {
  const std::vector<Truth> truths{{"a", 300, 500}, {"b", 900, 1500}};
  const auto one = compared(campaign(truths, {"redis-set"}));
  EXPECT_EQ(ranking_of(one.workloads[0], "expected_bugs:popularity"), nullptr);
  EXPECT_THAT(one.notes, Contains(HasSubstr("it takes at least two workloads")));
  const auto two = compared(campaign(truths, {"redis-set", "node-express"}));
  ASSERT_EQ(two.workloads.size(), 2U);
  const Ranking* uniform = ranking_of(two.workloads[0], "expected_bugs:uniform");
  const Ranking* popularity = ranking_of(two.workloads[0], "expected_bugs:popularity");
  ASSERT_TRUE(uniform != nullptr && popularity != nullptr);
  // Here both workloads exercise the same functions, so every function is popular.
  EXPECT_NEAR(popularity->order[0].spread.mean, kPopularFactor * uniform->order[0].spread.mean, 1e-9);
  EXPECT_THAT(two.conclusions, Contains(HasSubstr("With every workload: a is robustly below b")));
}

TEST(Compare, RecordingsOfSeveralKernelsAreKeptApart) {
  auto reports = campaign({{"a", 300, 500}}, {"redis-set"});
  reports[0].kernel = "6.1";
  const Comparison comparison = compared(std::move(reports));
  EXPECT_THAT(comparison.workloads[0].sandboxes, ElementsAre("a/6.1", "a/6.12"));
  EXPECT_THAT(comparison.notes, Contains(HasSubstr("Recordings of 2 kernels: 6.1, 6.12")));
}

TEST(Compare, WrongUse) {
  EXPECT_EQ(compare_reports({}, {}).error().kind(), ErrorKind::usage);
  CompareOptions twice;
  twice.models = {DensityModel::table("mine", "", {}, 1), DensityModel::table("mine", "", {}, 2)};
  const auto result = compare_reports(campaign({{"a", 30, 50}}, {"w"}), twice);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().to_string(), HasSubstr("two density models are called \"mine\""));
}

TEST(Compare, TextStaysWithinAHundredColumns) {
  std::vector<Truth> truths;
  for (const char* name : {"bare", "lxc", "app-container", "docker-default", "docker-seccomp",
                           "gvisor-ptrace", "gvisor-systrap", "kvm-qemu", "kvm-microvm", "xen-pv"}) {
    truths.push_back({name, 300 + 37.5 * static_cast<double>(truths.size()), 1234567});
  }
  const std::string text = render_text(compared(campaign(truths, {"redis-set", "node-express"})));
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) EXPECT_LE(line.size(), 100U) << line;
  EXPECT_THAT(text, HasSubstr("gvisor-systrap"));
  EXPECT_THAT(text, HasSubstr("sigma 0.67"));
}

TEST(Compare, SameSeedSameText) {
  const auto text = [] { return render_text(compared(campaign({{"a", 30, 50}, {"b", 31, 50}}, {"w"}))); };
  EXPECT_EQ(text(), text());
}

TEST(Compare, JsonKeepsUnknownAsNull) {
  const auto document = nlohmann::json::parse(
      render_json(compared(campaign({{"a", 300, 500}, {"b", 900, 1500}}, {"redis-set"}, 1, 1))));
  EXPECT_EQ(document["schema"], "hapmeter.compare/1");
  const auto& ranking = document["workloads"][0]["rankings"][0];
  EXPECT_TRUE(ranking["order"][0]["low"].is_null());
  EXPECT_TRUE(ranking["order"][0]["sd_within_boots"].is_null());
  EXPECT_TRUE(ranking["pairs"][0]["probability"].is_null());
  EXPECT_EQ(ranking["order"][0]["span"]["high"].get<double>(),
            ranking["order"][0]["value"].get<double>() + 3);
}

TEST(Compare, JsonFollowsItsSchema) {
  std::ifstream file(HAP_SOURCE_DIR "/docs/compare.schema.json");
  const testing::JsonSchema schema(nlohmann::json::parse(file));
  for (const int boots : {1, 3}) {
    auto reports =
        campaign({{"a", 300, 500}, {"b", 900, 1500}, {"c", 400, 400}}, {"redis-set", "node-express"}, boots);
    reports[0].figures[0]["complexity"] = std::nullopt;
    reports[1].label = "variant";
    const auto document = nlohmann::json::parse(render_json(compared(std::move(reports))));
    EXPECT_THAT(schema.findings(document), IsEmpty());
  }
  nlohmann::json broken{{"schema", "hapmeter.compare/2"}};
  EXPECT_THAT(schema.findings(broken), Not(IsEmpty()));
}

TEST(ReportSummary, ReadsAReport) {
  const auto summary = parse_report_summary(R"({
    "schema": "hapmeter.report/1", "sandbox": "bare", "workload": "redis-set", "collector": "emulator", "boot": 2,
    "kernel": {"release": "6.12.1", "build_id": "ab"},
    "hap": {"functions": {"value": 10, "low": 10, "high": 12}, "complexity": null, "expected_bugs": {"value": 1},
            "unknown": {"complexity": "no index"}},
    "hap_with_softirq": {"functions": {"value": 14, "low": null, "high": null}},
    "completeness": {"steady_state": false, "coverage": 0.97},
    "loss": {"events_lost": 3},
    "functions": [
      {"name": "vfs_read", "file": "fs/read_write.c", "lines": 30, "layer": "host-kernel", "context": "task"},
      {"name": "vfs_read", "file": "fs/read_write.c", "lines": 30, "layer": "host-kernel", "context": "softirq"},
      {"name": "net_rx_action", "file": "net/core/dev.c", "lines": null, "layer": "host-kernel", "context": "softirq"},
      {"name": "skb_push", "file": "include/linux/skbuff.h", "lines": 8, "layer": "host-kernel", "context": "task",
       "inlined": true},
      {"name": "main", "file": "server.c", "lines": 9, "layer": "application", "context": "task"},
      {"name": "irq", "file": "kernel/irq.c", "lines": 9, "layer": "host-kernel", "context": "hardirq"}]})",
                                            "x.json");
  ASSERT_TRUE(summary.ok()) << summary.error().to_string();
  EXPECT_EQ(summary->kernel, "6.12.1");
  EXPECT_EQ(summary->boot, "2");
  EXPECT_EQ(summary->steady_state, false);
  EXPECT_EQ(summary->events_lost, 3U);
  EXPECT_EQ(summary->figures[0].at("functions")->high, 12);
  EXPECT_FALSE(summary->figures[0].at("complexity").has_value());
  EXPECT_EQ(summary->figures[0].count("unknown"), 0U);
  EXPECT_EQ(summary->figures[1].at("functions")->high, 14);
  ASSERT_EQ(summary->functions.size(), 2U);
  EXPECT_FALSE(summary->functions[0].softirq_only);
  EXPECT_TRUE(summary->functions[1].softirq_only);
  EXPECT_EQ(summary->functions[1].lines, 0);
}

TEST(ReportSummary, RefusesWhatIsNoReport) {
  for (const char* text : {"", "{", "[]", "{}", R"({"schema": "hapmeter.compare/1"})",
                           R"({"schema": "hapmeter.report/1"})", R"({"schema": 3})"}) {
    const auto summary = parse_report_summary(text, "x.json");
    ASSERT_FALSE(summary.ok()) << text;
    EXPECT_EQ(summary.error().kind(), ErrorKind::corrupt);
  }
}

TEST(ReportSummary, SurvivesMembersOfTheWrongKind) {
  const auto summary =
      parse_report_summary(R"({"schema": "hapmeter.report/1", "sandbox": "a", "workload": "b",
    "kernel": 3, "hap": [1], "hap_with_softirq": {"functions": 7, "x": {"value": "1"}}, "functions": [1, {}, null],
    "loss": {"events_lost": -5}, "completeness": [], "boot": {}})",
                           "x.json");
  ASSERT_TRUE(summary.ok());
  EXPECT_THAT(summary->functions, IsEmpty());
  EXPECT_EQ(summary->events_lost, 0U);
}

}  // namespace
}  // namespace hap
