#include "cli/compare_inputs.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/digest.h"
#include "base/file.h"
#include "compare/summary_file.h"
#include "hap/report.h"

namespace hap::cli {
namespace {
namespace fs = std::filesystem;

// Raised whenever figures of the same recording may come out differently.
constexpr int kAnalysisVersion = 5;
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
  return sha256_hex(fmt::format("{} {} {} {} {} {}.{}", HAP_VERSION, kAnalysisVersion, absolute.string(),
                                status.st_ino, status.st_size, status.st_mtim.tv_sec,
                                status.st_mtim.tv_nsec));
}

bool kernel_symbols_complete(const Profile& profile) {
  const auto images = profile.images();
  return std::all_of(images.begin(), images.end(), [](const ProfileImage& image) {
    const bool counts = image.kind == ImageKind::kernel || image.kind == ImageKind::module ||
                        image.kind == ImageKind::hypervisor;
    return !counts || image.space == Space::guest || image.indexed;
  });
}

void add_functions(const Profile& profile, ReportSummary& summary) {
  const auto functions_of = [&](bool with_softirq) {
    HapOptions options;
    options.with_softirq = with_softirq;
    return profile.functions_hit(
        profile.select([&](const Account& account) { return counts_as_hap(account, options); }));
  };
  const std::vector<uint32_t> hap = functions_of(false);
  for (const uint32_t id : functions_of(true)) {
    const ProfileFunction& function = profile.functions()[id];
    summary.functions.push_back({function.name, function.file,
                                 static_cast<double>(function.lines.value_or(0)),
                                 !std::binary_search(hap.begin(), hap.end(), id)});
  }
}

ReportSummary summarize(const Profile& profile, const Report& report) {
  ReportSummary summary;
  summary.sandbox = report.value("sandbox");
  summary.workload = report.value("workload");
  summary.label = report.value("label");
  summary.collector = report.value("collector");
  summary.kernel = report.value("kernel_release");
  summary.kernel_build_id = report.value("kernel_build_id");
  summary.boot = report.value("boot");
  const FigureSet* const sets[] = {&report.hap, &report.hap_with_softirq};
  for (const Scope scope : kScopes) {
    for (const auto& [metric, figure] : sets[static_cast<int>(scope)]->metrics) {
      // Every density model is applied here; known_cves belongs to the whole report.
      if (metric == "expected_bugs" || metric == "known_cves") continue;
      summary.figures[static_cast<int>(scope)][metric] = figure.value;
    }
  }
  add_functions(profile, summary);
  summary.steady_state = report.completeness.steady_state;
  summary.coverage = report.completeness.coverage;
  summary.events_lost = report.loss.events_lost.value_or(0);
  return summary;
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

Result<ReportSummary> load_summary(const std::string& path, const AnalysisOptions& options) {
  HAP_TRY(cache, cache_dir());
  const std::string key = cache_key(path);
  const std::string kept = cache + "/compare/" + key;
  if (!key.empty()) {
    // A kept summary that cannot be read is made again.
    if (const auto bytes = read_file(kept, kLargestSummary)) {
      if (auto summary = compare::decode_summary(*bytes, kept)) {
        summary->path = path;
        return summary;
      }
    }
  }
  const auto keep = [&](const ReportSummary& summary) {
    if (key.empty() || !make_dirs(cache + "/compare")) return;
    (void)write_file_atomic(kept, compare::encode_summary(summary));
  };
  if (!path.ends_with(".hap")) {
    HAP_TRY(summary, load_report_summary(path));
    keep(summary);
    return summary;
  }
  HAP_TRY(cell, open_trusted_cell(path, options));
  ReportSummary summary = summarize(cell.profile, make_report(cell.profile, path));
  // A measurement that failed its checks, or lacks symbols that may come later, is not kept.
  if (!options.force && kernel_symbols_complete(cell.profile)) keep(summary);
  summary.path = path;
  return summary;
}

}  // namespace hap::cli
