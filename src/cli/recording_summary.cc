#include "cli/recording_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "hap/metric.h"
#include "recording/attachment.h"

namespace hap::cli {
namespace {

// Raised whenever figures of the same recording may come out differently.
constexpr int kAnalysisVersion = 5;

bool counts_in_summary(const ProfileImage& image) {
  const bool kernel_code = image.kind == ImageKind::kernel || image.kind == ImageKind::module ||
                           image.kind == ImageKind::hypervisor;
  return kernel_code && image.space != Space::guest;
}

bool kernel_symbols_complete(const Profile& profile) {
  const auto images = profile.images();
  return std::all_of(images.begin(), images.end(),
                     [](const ProfileImage& image) { return !counts_in_summary(image) || image.indexed; });
}

// Live recordings bring names of functions along; an index with lines may turn up later.
std::vector<std::string> kernels_without_lines(const store::Cell& cell) {
  std::vector<std::string> build_ids;
  const auto images = cell.profile.images();
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Index* index = cell.resolver.index(i);
    if (counts_in_summary(images[i]) && index != nullptr && index->file_count() == 0) {
      build_ids.emplace_back(index->build_id());
    }
  }
  return build_ids;
}

// Every density model is applied by the comparison; known_cves belongs to the report.
bool is_compared(std::string_view metric) {
  return metric != "expected_bugs" && metric != "known_cves";
}

void add_figures(const Profile& profile, const Selection& selection,
                 std::map<std::string, std::optional<Interval>>& figures) {
  const UnseenCode unseen = estimate_unseen_code(profile, selection);
  const MetricInput input{profile, selection, &unseen, nullptr, std::nullopt};
  for (const auto& metric : make_metrics()) {
    if (is_compared(metric->name())) figures[std::string(metric->name())] = metric->measure(input).value;
  }
}

void add_functions(const Profile& profile, const Selection& hap, const Selection& with_softirq,
                   ReportSummary& summary) {
  const std::vector<uint32_t> of_hap = profile.functions_hit(hap);
  for (const uint32_t id : profile.functions_hit(with_softirq)) {
    const ProfileFunction& function = profile.functions()[id];
    summary.functions.push_back({function.name, function.file,
                                 static_cast<double>(function.lines.value_or(0)),
                                 !std::binary_search(of_hap.begin(), of_hap.end(), id)});
  }
}

ReportSummary summarize(const Profile& profile) {
  const auto& header = profile.header();
  const auto meta = [&](const char* key) {
    const auto found = header.meta.find(key);
    return found == header.meta.end() ? std::string() : found->second;
  };
  ReportSummary summary;
  summary.sandbox = meta("sandbox");
  summary.workload = meta("workload");
  summary.label = meta("label");
  summary.collector = meta("collector");
  summary.kernel = meta("kernel_release");
  summary.kernel_build_id = meta("kernel_build_id");
  summary.boot = meta("boot");
  const Selection hap = profile.select([](const Account& account) { return counts_as_hap(account); });
  const Selection with_softirq =
      profile.select([](const Account& account) { return counts_as_hap(account, {.with_softirq = true}); });
  add_figures(profile, hap, summary.figures[static_cast<int>(Scope::hap)]);
  add_figures(profile, with_softirq, summary.figures[static_cast<int>(Scope::hap_with_softirq)]);
  add_functions(profile, hap, with_softirq, summary);
  const Completeness completeness = assess_completeness(function_incidence(profile, hap));
  summary.steady_state = completeness.steady_state;
  summary.coverage = completeness.coverage;
  for (const Loss& loss : header.losses) {
    if (loss.kind == "events_lost") summary.events_lost += loss.count;
  }
  return summary;
}

}  // namespace

std::string analysis_version() {
  return fmt::format("{} {}", HAP_VERSION, kAnalysisVersion);
}

Result<AnalysedSummary> analyse_for_summary(const std::string& path, const AnalysisOptions& options) {
  HAP_TRY(cell, open_trusted_cell(path, options));
  return AnalysedSummary{{analysis_version(), kernels_without_lines(cell), summarize(cell.profile)},
                         kernel_symbols_complete(cell.profile)};
}

bool still_holds(const compare::KeptSummary& kept, const std::string& cache) {
  const auto has_come = [&](const std::string& build_id) {
    std::error_code ignored;
    return build_id.find_first_not_of("0123456789abcdef") != std::string::npos ||
           std::filesystem::exists(index_path(cache, build_id), ignored);
  };
  return kept.made_by == analysis_version() &&
         std::none_of(kept.without_lines.begin(), kept.without_lines.end(), has_come);
}

Status attach_summary(const std::string& path) {
  HAP_TRY(cache, cache_dir());
  ResolverOptions symbols;
  symbols.cache = cache;
  symbols.build_missing = false;
  HAP_TRY(cell, store::open_cell(path, symbols));
  if (!cell.profile.usable() || !kernel_symbols_complete(cell.profile)) return {};
  return recording::attach(
      path, compare::encode_kept({analysis_version(), kernels_without_lines(cell), summarize(cell.profile)}));
}

}  // namespace hap::cli
