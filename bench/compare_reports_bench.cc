// Comparing 200 recordings (10 sandboxes x 4 workloads x 5 repeats, 1,500 to 2,400 functions each) must take
// at most 2 s. Recordings are analysed once; what counts then is reading their kept summaries (200_kept).
// Reports in JSON are parsed every time (200_reports).
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "compare/summary_file.h"
#include "hap/compare.h"
#include "measure/random.h"

namespace {

using hap::measure::Random;

constexpr int kFunctions = 3000;

nlohmann::json report(int sandbox, int workload, int repeat, Random& random) {
  nlohmann::json functions = nlohmann::json::array();
  const int hit = kFunctions / 2 + 100 * sandbox + static_cast<int>(random.below(20));
  for (int i = 0; i < hit; ++i) {
    functions.push_back({{"name", "some_kernel_function_" + std::to_string(i)},
                         {"file", "net/core/file_" + std::to_string(i % 300) + ".c"},
                         {"line", 100 + i},
                         {"lines", 10 + i % 90},
                         {"executed_lines", 5 + i % 40},
                         {"layer", "host-kernel"},
                         {"context", i % 9 == 0 ? "softirq" : "task"},
                         {"hits", 1 + i % 30}});
  }
  nlohmann::json figures;
  for (const char* metric : {"functions", "function_lines", "executed_lines", "code_bytes", "complexity"}) {
    figures[metric] = {{"value", hit}, {"low", hit}, {"high", hit + 12}};
  }
  return {{"schema", "hapmeter.report/1"},
          {"sandbox", "sandbox-" + std::to_string(sandbox)},
          {"workload", "workload-" + std::to_string(workload)},
          {"collector", "emulator"},
          {"boot", std::to_string(repeat % 3)},
          {"kernel", {{"release", "6.12"}}},
          {"hap", figures},
          {"hap_with_softirq", figures},
          {"completeness", {{"steady_state", true}, {"coverage", 0.995}}},
          {"loss", {{"events_lost", 0}}},
          {"functions", functions}};
}

void compare_200_reports(benchmark::State& state) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("hap-compare-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  Random random(1);
  std::vector<std::string> paths;
  for (int sandbox = 0; sandbox < 10; ++sandbox) {
    for (int workload = 0; workload < 4; ++workload) {
      for (int repeat = 0; repeat < 5; ++repeat) {
        paths.push_back((folder / (std::to_string(paths.size()) + ".json")).string());
        std::ofstream(paths.back()) << report(sandbox, workload, repeat, random);
      }
    }
  }
  for (auto _ : state) {
    std::vector<hap::ReportSummary> reports;
    for (const std::string& path : paths) {
      auto loaded = hap::load_report_summary(path);
      if (!loaded) return state.SkipWithError(loaded.error().to_string().c_str());
      reports.push_back(std::move(loaded).value());
    }
    auto comparison = hap::compare_reports(std::move(reports), {});
    if (!comparison) return state.SkipWithError(comparison.error().to_string().c_str());
    benchmark::DoNotOptimize(hap::render_text(*comparison));
  }
  state.counters["reports"] = static_cast<double>(paths.size());
  std::filesystem::remove_all(folder);
}
BENCHMARK(compare_200_reports)->Name("200_reports")->Unit(benchmark::kSecond)->MinTime(1);

void compare_200_kept(benchmark::State& state) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("hap-compare-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  Random random(1);
  std::vector<std::string> paths;
  for (int i = 0; i < 200; ++i) {
    const auto summary = hap::parse_report_summary(report(i / 20, i / 5 % 4, i % 5, random).dump(), "");
    if (!summary) return state.SkipWithError(summary.error().to_string().c_str());
    paths.push_back((folder / std::to_string(i)).string());
    std::ofstream(paths.back(), std::ios::binary) << hap::compare::encode_summary(*summary);
  }
  for (auto _ : state) {
    std::vector<hap::ReportSummary> reports;
    for (const std::string& path : paths) {
      const auto bytes = hap::read_file(path);
      if (!bytes) return state.SkipWithError(bytes.error().to_string().c_str());
      auto summary = hap::compare::decode_summary(*bytes, path);
      if (!summary) return state.SkipWithError(summary.error().to_string().c_str());
      reports.push_back(std::move(summary).value());
    }
    auto comparison = hap::compare_reports(std::move(reports), {});
    if (!comparison) return state.SkipWithError(comparison.error().to_string().c_str());
    benchmark::DoNotOptimize(hap::render_text(*comparison));
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(compare_200_kept)->Name("200_kept")->Unit(benchmark::kSecond)->MinTime(1);

}  // namespace

BENCHMARK_MAIN();
