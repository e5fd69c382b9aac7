#include "report/idle_baseline.h"

#include <fmt/format.h>

#include <algorithm>

namespace hap::report {
namespace {

// Functions of one name in different files are different functions.
std::string key_of(const ProfileFunction& function) {
  return function.name + '\n' + function.file;
}

bool counts_when_idle(const Account& account) {
  const bool host = account.layer == Layer::host_kernel || account.layer == Layer::hypervisor ||
                    account.layer == Layer::host_daemon;
  return host && account.standing != Standing::load;
}

std::vector<FunctionWindows> windows_by_function(const Profile& profile, const Selection& selection) {
  std::vector<FunctionWindows> functions;
  profile.for_each_function_windows(selection, [&](uint32_t id, std::span<const uint32_t> windows) {
    functions.push_back({key_of(profile.functions()[id]), static_cast<std::uint32_t>(windows.size())});
  });
  return functions;
}

WindowSpan span_of(const Profile& profile) {
  WindowSpan span;
  int64_t nanoseconds = 0;
  for (const Window& window : profile.windows()) {
    if (window.phase != Phase::serve) continue;
    ++span.windows;
    nanoseconds += std::max<int64_t>(0, window.end_ns - window.start_ns);
  }
  span.seconds = span.windows == 0 ? 0 : static_cast<double>(nanoseconds) / 1e9 / span.windows;
  return span;
}

}  // namespace

Result<BaselineReport> compare_with_idle(const Profile& working, const Profile& idle,
                                         const std::string& idle_path) {
  if (idle.meta("workload") != "idle") {
    return Error("a baseline is a recording of the idle machine", ErrorKind::usage)
        .at(idle_path)
        .hint("make one with `hap measure --sandbox bare --workload idle -o idle.hap`");
  }
  if (working.meta("kernel_build_id") != idle.meta("kernel_build_id")) {
    return Error("the baseline is of another kernel: " + idle.meta("kernel_release") + " instead of " +
                     working.meta("kernel_release"),
                 ErrorKind::usage)
        .at(idle_path)
        .hint("record the idle machine with the same --suite and --kernel");
  }
  BaselineReport report;
  report.path = idle_path;
  report.working = span_of(working);
  report.idle = span_of(idle);
  const auto hap = working.select([](const Account& account) { return counts_as_hap(account); });
  report.comparison =
      compare_with_baseline(windows_by_function(working, hap), report.working,
                            windows_by_function(idle, idle.select(counts_when_idle)), report.idle);
  for (BaselineFunction& function : report.comparison.functions) {
    const std::size_t end = function.function.find('\n');
    report.files.push_back(function.function.substr(end + 1));
    function.function.resize(end);
  }
  return report;
}

std::vector<std::string> sentences(const BaselineReport& baseline) {
  const BaselineComparison& all = baseline.comparison;
  std::vector<std::string> text;
  text.push_back(
      fmt::format("of {} functions of the HAP, {} are owed to the workload, {} the idle machine shows as "
                  "often, {} cannot be "
                  "told; nothing is subtracted",
                  all.functions.size(), all.workload, all.background, all.undecided));
  text.push_back(fmt::format("{} windows of {:.2f} s against {} idle windows of {:.2f} s ({})",
                             baseline.working.windows, baseline.working.seconds, baseline.idle.windows,
                             baseline.idle.seconds, baseline.path));
  std::string names;
  constexpr std::size_t most = 8;
  std::size_t listed = 0;
  for (const BaselineFunction& function : all.functions) {
    if (function.origin != Origin::background || listed == most) continue;
    names += fmt::format("{}{} ({} of {}, idle {} of {})", listed == 0 ? "" : ", ", function.function,
                         function.seen_working, baseline.working.windows, function.seen_idle,
                         baseline.idle.windows);
    ++listed;
  }
  if (listed > 0) {
    text.push_back("background: " + names +
                   (all.background > listed ? fmt::format(" and {} more", all.background - listed) : ""));
  }
  return text;
}

}  // namespace hap::report
