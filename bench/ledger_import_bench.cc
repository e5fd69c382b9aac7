// Import of all kernel records (goal: 3 s) and what follows it: classification, the table, exposure (goal: 1
// s). Needs kernel_cna_compact.jsonl.gz in $HAP_TEST_DATA; says so and stops otherwise.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/progress.h"
#include "hap/exposure.h"
#include "ledger/book.h"
#include "ledger/import.h"

namespace hap::ledger {
namespace {

std::string input() {
  const char* folder = std::getenv("HAP_TEST_DATA");
  const std::string path =
      std::string(folder != nullptr ? folder : "../shared/data") + "/kernel_cna_compact.jsonl.gz";
  return std::filesystem::exists(path) ? path : std::string();
}

std::string database() {
  return std::filesystem::temp_directory_path().string() + "/hap-ledger-bench-" + std::to_string(::getpid()) +
         ".sqlite";
}

BookOptions book_options() {
  const char* data = std::getenv("HAP_DATA_DIR");
  BookOptions options;
  options.database = database();
  options.data = std::string(data != nullptr ? data : "data") + "/ledger";
  return options;
}

bool fill(benchmark::State& state) {
  if (input().empty()) {
    state.SkipWithError("kernel_cna_compact.jsonl.gz is not in $HAP_TEST_DATA");
    return false;
  }
  std::filesystem::remove(database());
  auto store = Store::open(database());
  NoProgress progress;
  const auto report =
      store ? import_inputs(*store, {input()}, {}, progress) : Result<ImportReport>(store.error());
  if (!report) state.SkipWithError(report.error().to_string().c_str());
  if (report) state.counters["records"] = static_cast<double>(report->records);
  return report.ok();
}

void import_all(benchmark::State& state) {
  for (auto _ : state) {
    if (!fill(state)) break;
  }
  std::filesystem::remove(database());
}
BENCHMARK(import_all)->Unit(benchmark::kMillisecond)->Iterations(3);

void classify_all(benchmark::State& state) {
  if (!fill(state)) return;
  for (auto _ : state) {
    state.PauseTiming();
    auto store = Store::open(database());
    if (!store || !store->put_classifications({}, "stale").ok())
      state.SkipWithError("cannot reset the classification");
    state.ResumeTiming();
    const auto book = open_book(book_options());
    if (!book) return state.SkipWithError(book.error().to_string().c_str());
  }
  std::filesystem::remove(database());
}
BENCHMARK(classify_all)->Unit(benchmark::kMillisecond)->Iterations(3);

// As `hap ledger exposure` does: open the ledger, load all records, judge them against a whole kernel's
// files.
void exposure(benchmark::State& state) {
  if (!fill(state)) return;
  auto first = open_book(book_options());
  if (!first) return state.SkipWithError(first.error().to_string().c_str());
  ExercisedCode code;
  code.kernel_release = "6.12.48";
  code.present_files.emplace();
  for (const auto& [record, classifications] : first->records) {
    for (const auto& file : record.files) {
      code.files.push_back({file, 10, 100});
      code.present_files->push_back(file);
    }
  }
  for (auto _ : state) {
    auto book = open_book(book_options());
    if (!book) return state.SkipWithError(book.error().to_string().c_str());
    std::vector<Record> records;
    records.reserve(book->records.size());
    for (auto& record : book->records) records.push_back(std::move(record.record));
    const auto result = expose(records, code);
    state.counters["exercised"] = static_cast<double>(result.dated.exercised);
  }
  std::filesystem::remove(database());
}
BENCHMARK(exposure)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace hap::ledger

BENCHMARK_MAIN();
