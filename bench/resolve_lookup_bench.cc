// Opening an index and resolving the block ranges of a recording:
//
//   HAP_BENCH_INDEX=<cache>/index/<build-id of vmlinux>.hapidx resolve_lookup_bench
//
// The blocks are 20,000 pieces of code of 4 to 67 bytes spread over all functions, as many as a redis
// recording has.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "hap/resolver.h"

namespace {

const char* index_file() {
  return std::getenv("HAP_BENCH_INDEX");
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> blocks(const hap::Index& index) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> chosen;
  constexpr std::size_t wanted = 20000;
  std::uint64_t state = 1;
  for (hap::FunctionId id = 0; chosen.size() < wanted && index.function_count() != 0;
       id = (id + 7919) % static_cast<hap::FunctionId>(index.function_count())) {
    for (const auto& range : index.ranges(id)) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const std::uint64_t begin = range.begin + (state >> 33) % (range.end - range.begin);
      chosen.emplace_back(begin, 4 + (state >> 20) % 64);
    }
  }
  return chosen;
}

void open_index(benchmark::State& state) {
  if (index_file() == nullptr) {
    state.SkipWithError("set HAP_BENCH_INDEX to an index file");
    return;
  }
  for (auto _ : state) {
    auto index = hap::Index::open(index_file());
    if (!index) {
      state.SkipWithError(index.error().to_string().c_str());
      return;
    }
    benchmark::DoNotOptimize(index);
  }
}
BENCHMARK(open_index)->Unit(benchmark::kMillisecond);

void resolve_20000_blocks(benchmark::State& state) {
  if (index_file() == nullptr) {
    state.SkipWithError("set HAP_BENCH_INDEX to an index file");
    return;
  }
  const auto index = hap::Index::open(index_file());
  if (!index) {
    state.SkipWithError(index.error().to_string().c_str());
    return;
  }
  const auto ranges = blocks(*index);
  hap::RangeResolution resolution;
  std::size_t lines = 0;
  for (auto _ : state) {
    lines = 0;
    for (const auto& [address, size] : ranges) {
      index->resolve_range(address, size, resolution);
      lines += resolution.lines.size();
    }
  }
  state.counters["blocks"] = static_cast<double>(ranges.size());
  state.counters["lines"] = static_cast<double>(lines);
}
BENCHMARK(resolve_20000_blocks)->Unit(benchmark::kMillisecond);

void reachable_from_all_system_calls(benchmark::State& state) {
  if (index_file() == nullptr) {
    state.SkipWithError("set HAP_BENCH_INDEX to an index file");
    return;
  }
  const auto index = hap::Index::open(index_file());
  if (!index) {
    state.SkipWithError(index.error().to_string().c_str());
    return;
  }
  std::vector<hap::ImageFunction> entries;
  for (const auto& [number, function] : index->syscall_entries()) entries.push_back({0, function});
  std::size_t reached = 0;
  for (auto _ : state) reached = hap::reachable_functions({&*index}, entries).size();
  state.counters["entries"] = static_cast<double>(entries.size());
  state.counters["functions"] = static_cast<double>(reached);
}
BENCHMARK(reachable_from_all_system_calls)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
