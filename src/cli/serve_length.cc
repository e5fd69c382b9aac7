#include "cli/serve_length.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "workload/load.h"

namespace hap::cli {
namespace {

constexpr const char* kGroup = "How long to serve";

// Seconds of the machine's own time from one window to the next; 0 when requests follow each other at once.
double window_seconds(const workload::LoadPlan& plan, uint64_t requests_per_window) {
  return std::chrono::duration<double>(plan.interval).count() * static_cast<double>(requests_per_window);
}

uint64_t requests_per_window(const LengthOptions& options, const workload::LoadPlan& plan) {
  if (options.requests > 0 || options.windows > 0 || plan.interval.count() == 0) {
    const uint64_t requests = options.requests > 0 ? static_cast<uint64_t>(options.requests) : plan.requests;
    const uint64_t windows = options.windows > 0 ? static_cast<uint64_t>(options.windows) : plan.windows;
    return std::max<uint64_t>(1, requests / windows);
  }
  return static_cast<uint64_t>(kSteadyWindowSeconds / window_seconds(plan, 1));
}

// A load without a pace has no length of its own in time: there the rule's own numbers of windows hold.
SteadyRule rule_of(const LengthOptions& options, double seconds, unsigned slowest_timer_s) {
  SteadyRule rule;
  if (seconds > 0) {
    const double timer = slowest_timer_s > 0 ? 2 * slowest_timer_s + kTimerSlackSeconds : 0;
    const double floor = std::max(kSteadyFloorSeconds, timer);
    rule.min_windows = std::max(rule.min_windows, static_cast<uint32_t>(std::ceil(floor / seconds)));
    rule.max_windows = kSteadyCap * rule.min_windows;
  }
  if (options.floor > 0) rule.min_windows = static_cast<uint32_t>(options.floor);
  if (options.cap > 0) rule.max_windows = static_cast<uint32_t>(options.cap);
  // Whoever names only one of the two moves the other out of its way.
  if (options.floor == 0) rule.min_windows = std::min(rule.min_windows, rule.max_windows);
  if (options.cap == 0) rule.max_windows = std::max(rule.min_windows, rule.max_windows);
  return rule;
}

}  // namespace

bool until_steady(const LengthOptions& options, const std::string& profile) {
  if (!options.until.empty()) return options.until == "steady";
  return profile == "published" && options.requests == 0 && options.windows == 0;
}

Result<ServeLength> plan_length(const LengthOptions& options, const std::string& profile,
                                unsigned slowest_timer_s) {
  ServeLength length;
  length.interval_ms = options.interval_ms;
  if (!until_steady(options, profile)) {
    if (options.floor > 0 || options.cap > 0 || options.continue_to > 1) {
      return Error("--floor, --cap and --continue-to say how `--until steady` ends", ErrorKind::usage)
          .hint("add --until steady");
    }
    if (options.requests > 0) length.requests = options.requests;
    if (options.windows > 0) length.windows = options.windows;
    return length;
  }
  HAP_TRY(plan, workload::load_profile(profile));
  if (options.interval_ms) plan.interval = std::chrono::milliseconds(*options.interval_ms);
  const uint64_t per_window = requests_per_window(options, plan);
  const SteadyRule rule = rule_of(options, window_seconds(plan, per_window), slowest_timer_s);
  if (rule.min_windows > rule.max_windows) {
    return Error("the floor lies above the cap", ErrorKind::usage).hint("see --floor and --cap");
  }
  const auto most = static_cast<uint64_t>(std::lround(rule.max_windows * options.continue_to));
  length.windows = most;
  length.requests = most * per_window;
  length.until_steady = rule;
  length.continue_to = options.continue_to;
  return length;
}

void add_length_options(CLI::App& command, LengthOptions& options) {
  command
      .add_option(
          "--until", options.until,
          "steady: until windows bring nothing new, at least five minutes of the machine's own time (default "
          "of the published profile); requests: the profile's number")
      ->check(CLI::IsMember({"steady", "requests"}))
      ->take_last()
      ->group(kGroup);
  command
      .add_option(
          "--floor", options.floor,
          "Least number of windows of --until steady (default: of 5 s, as many as the known timers need, "
          "docs/metrics.md; without a pace: 10)")
      ->check(CLI::Range(5, 10000))
      ->group(kGroup);
  command
      .add_option("--cap", options.cap,
                  "Most windows of --until steady (default: three times the floor; without a pace: 120)")
      ->check(CLI::Range(5, 10000))
      ->group(kGroup);
  command
      .add_option("--continue-to", options.continue_to,
                  "After --until steady, go on to this many times the length, to check what was foretold")
      ->check(CLI::Range(1.0, 100.0))
      ->group(kGroup);
  command
      .add_option("--requests", options.requests,
                  "Requests to serve (default: the profile's); with --until steady: in --windows windows")
      ->check(CLI::Range(1, 1000000))
      ->group(kGroup);
  command.add_option("--windows", options.windows, "Windows of these requests (default: the profile's)")
      ->check(CLI::Range(1, 10000))
      ->group(kGroup);
  command
      .add_option(
          "--interval", options.interval_ms,
          "Milliseconds from one request to the next, 0: one after the other (default: the profile's)")
      ->check(CLI::Range(0, 60000))
      ->group(kGroup);
}

}  // namespace hap::cli
