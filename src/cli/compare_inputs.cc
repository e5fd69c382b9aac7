#include "cli/compare_inputs.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "cli/recording_summary.h"
#include "recording/attachment.h"

namespace hap::cli {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kLargestSummary = std::size_t{64} << 20;

Result<std::vector<std::string>> files_in(const std::string& folder) {
  std::error_code failure;
  std::vector<std::string> recordings;
  std::vector<std::string> reports;
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->path().extension() == ".hap") recordings.push_back(entry->path().string());
    // summary.json of a campaign and the like are no reports; those lie beside recordings.
    if (entry->path().extension() == ".json" && entry.depth() == 0) reports.push_back(entry->path().string());
  }
  if (failure) return Error::from_errno("cannot read the folder", failure.value()).at(folder);
  auto& found = recordings.empty() ? reports : recordings;
  if (found.empty()) {
    return Error("no recordings or reports in this folder", ErrorKind::usage)
        .at(folder)
        .hint("measure some with `hap campaign` or `hap measure`");
  }
  std::sort(found.begin(), found.end());
  return std::move(found);
}

// Empty when the file cannot be identified: then nothing is kept.
std::string cache_key(const std::string& path) {
  struct stat status {};
  std::error_code failure;
  const fs::path absolute = fs::canonical(path, failure);
  if (failure || ::stat(path.c_str(), &status) != 0) return {};
  return sha256_hex(fmt::format("{} {} {} {} {}.{}", analysis_version(), absolute.string(), status.st_ino,
                                status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec));
}

// What an earlier command kept, or else what came with the recording. A kept summary that cannot be read is
// made again; a recording that is damaged is an error.
Result<std::optional<ReportSummary>> find_summary(const std::string& path, const std::string& cache,
                                                  const std::string& kept) {
  const auto usable = [&](std::string_view bytes) -> std::optional<ReportSummary> {
    auto found = compare::decode_kept(bytes, path);
    if (!found || !still_holds(*found, cache)) return std::nullopt;
    return std::move(found->summary);
  };
  if (!kept.empty()) {
    if (const auto bytes = read_file(kept, kLargestSummary)) {
      if (auto summary = usable(*bytes)) return summary;
    }
  }
  if (!path.ends_with(".hap")) return std::optional<ReportSummary>();
  HAP_TRY(attached, recording::read_attachment(path));
  return attached ? usable(*attached) : std::nullopt;
}

Result<ReportSummary> load_summary(const std::string& path, const AnalysisOptions& options,
                                   SummarySource source) {
  HAP_TRY(cache, cache_dir());
  const std::string key = cache_key(path);
  const std::string kept = key.empty() ? key : cache + "/compare/" + key;
  if (source == SummarySource::any) {
    HAP_TRY(found, find_summary(path, cache, kept));
    if (found) {
      found->path = path;
      return std::move(*found);
    }
  }
  const auto keep = [&](const compare::KeptSummary& summary) {
    if (kept.empty() || !make_dirs(cache + "/compare")) return;
    (void)write_file_atomic(kept, compare::encode_kept(summary));
  };
  if (!path.ends_with(".hap")) {
    HAP_TRY(summary, load_report_summary(path));
    keep({analysis_version(), {}, summary});
    return summary;
  }
  HAP_TRY(analysed, analyse_for_summary(path, options));
  // A measurement that failed its checks, or lacks symbols that may come later, is not kept.
  if (!options.force && analysed.symbols_complete) keep(analysed.kept);
  analysed.kept.summary.path = path;
  return std::move(analysed.kept.summary);
}

// Analysing takes memory as well; symbols that are to be found or fetched are so once, not by each at once.
std::size_t worker_count(std::size_t files, const AnalysisOptions& options) {
  if (options.debuginfod || !options.debug_roots.empty()) return 1;
  constexpr std::size_t most = 8;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, std::min(most, files + 1));
}

}  // namespace

Result<std::vector<std::string>> find_compare_inputs(const std::vector<std::string>& arguments) {
  std::vector<std::string> found;
  for (const std::string& argument : arguments) {
    std::error_code failure;
    const fs::file_status status = fs::status(argument, failure);
    if (!fs::exists(status)) return Error("no such file or folder", ErrorKind::usage).at(argument);
    if (!fs::is_directory(status)) {
      found.push_back(argument);
      continue;
    }
    HAP_TRY(inside, files_in(argument));
    found.insert(found.end(), inside.begin(), inside.end());
  }
  return found;
}

Result<std::vector<ReportSummary>> load_summaries(const std::vector<std::string>& paths,
                                                  const AnalysisOptions& options, SummarySource source) {
  std::vector<std::optional<Result<ReportSummary>>> loaded(paths.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&] {
    while (!failed) {
      const std::size_t i = next++;
      if (i >= paths.size()) return;
      loaded[i] = load_summary(paths[i], options, source);
      if (!*loaded[i]) failed = true;
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < worker_count(paths.size(), options); ++i) others.emplace_back(work);
    work();
  }
  // Files are taken in order: those before the first failure have all been loaded.
  std::vector<ReportSummary> summaries;
  for (auto& each : loaded) {
    if (!each) break;
    if (!*each) return each->error();
    summaries.push_back(std::move(*each).value());
  }
  return summaries;
}

}  // namespace hap::cli
