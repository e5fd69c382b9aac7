// profiles CACHE A.hap B.hap...: the hapmeter library in use.
//
// Reads recordings, computes the horizontal attack profile of each, and compares the sandboxes. CACHE is the
// folder with the symbol indexes that `hap lab build` made (~/.cache/hapmeter).
#include <hap/compare.h>
#include <hap/profile.h>
#include <hap/recording.h>
#include <hap/report.h>
#include <hap/resolver.h>

#include <cstdio>
#include <string>
#include <vector>

namespace {

// A recording with names: every address becomes a function and source lines, or a label.
hap::Result<hap::Profile> read_profile(const std::string& path, const std::string& cache) {
  HAP_TRY(recording, hap::Recording::open(path));
  std::vector<hap::ImageRef> images;
  for (const auto& image : recording.header().images) {
    images.push_back({image.kind, image.build_id, image.path});
  }
  hap::ResolverOptions options;
  options.cache = cache;
  options.build_missing = false;
  HAP_TRY(resolver, hap::Resolver::open(options, images));
  return hap::Profile::build(recording, resolver);
}

void print_figure(const char* name, const hap::Measurement* figure) {
  if (figure == nullptr || !figure->value) {
    std::printf("  %-16s unknown\n", name);
    return;
  }
  std::printf("  %-16s %.0f [%.0f to %.0f]\n", name, figure->value->value, figure->value->low,
              figure->value->high);
}

// What a comparison needs of a report.
hap::ReportSummary summarize(const hap::Report& report) {
  hap::ReportSummary summary;
  summary.path = report.path;
  summary.sandbox = report.value("sandbox");
  summary.workload = report.value("workload");
  summary.boot = report.value("boot");
  for (const auto& [metric, figure] : report.hap.metrics) summary.figures[0][metric] = figure.value;
  for (const auto& [metric, figure] : report.hap_with_softirq.metrics)
    summary.figures[1][metric] = figure.value;
  return summary;
}

hap::Status run(const std::string& cache, const std::vector<std::string>& paths) {
  std::vector<hap::ReportSummary> summaries;
  for (const auto& path : paths) {
    HAP_TRY(profile, read_profile(path, cache));
    // A measurement that failed one of its checks is no measurement.
    if (const auto usable = profile.usable(); !usable) {
      std::printf("%s: not to be trusted: %s\n", path.c_str(), usable.error().to_string().c_str());
    }
    const hap::Report report = hap::make_report(profile, path);
    std::printf("%s: %s in %s\n", path.c_str(), report.value("workload").c_str(),
                report.value("sandbox").c_str());
    print_figure("functions", report.hap.find("functions"));
    print_figure("executed_lines", report.hap.find("executed_lines"));
    summaries.push_back(summarize(report));
  }
  HAP_TRY(comparison, hap::compare_reports(std::move(summaries), {}));
  for (const auto& workload : comparison.workloads) {
    for (const auto& sentence : workload.conclusions) std::printf("%s\n", sentence.c_str());
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s CACHE A.hap B.hap...\n", argv[0]);
    return 2;
  }
  const auto done = run(argv[1], std::vector<std::string>(argv + 2, argv + argc));
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().to_string().c_str());
  return 1;
}
