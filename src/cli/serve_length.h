// How long `hap measure` lets a cell serve: so many requests, or until a steady state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hap/completeness.h"
#include "hap/result.h"

namespace CLI {
class App;
}

namespace hap::cli {

// What the user asked for. 0: not said.
struct LengthOptions {
  int requests = 0;
  int windows = 0;
  std::string until;  // steady, requests, or empty
  std::optional<int> interval_ms;
  int floor = 0;  // windows
  int cap = 0;    // windows
  double continue_to = 1;
};

// What is to be done. Without a rule: `requests` in `windows`, the profile's where they are null.
struct ServeLength {
  std::optional<uint64_t> requests;        // with a rule: the most
  std::optional<uint64_t> windows;         // with a rule: the most
  std::optional<int> interval_ms;          // between requests
  std::optional<SteadyRule> until_steady;  // decides after each window
  double continue_to = 1;  // then go on to this many times the length, to check what was foretold
};

// A steady state is not looked for before a paced load has lasted this long in the machine's own time. No
// statistics can foretell a timer that has not fired yet, so the known ones must have: the kernel's writeback
// (30 s), the background thread of an allocator (60 to 90 s).
inline constexpr double kSteadyFloorSeconds = 300;
// A service with a timer of its own is given two of its periods, and this much for what sets it off late. The
// second time differs from the first: redis then replaces the file that it wrote.
inline constexpr double kTimerSlackSeconds = 30;
// It is given up after this many times the floor.
inline constexpr uint32_t kSteadyCap = 3;
// The windows of a paced load, unless the user says how many requests are in how many windows.
inline constexpr double kSteadyWindowSeconds = 5;

// --until, --floor, --cap, --continue-to, --requests, --windows, --interval
void add_length_options(CLI::App& command, LengthOptions& options);

// Steady is the default of the published profile, unless a number of requests or windows is said.
bool until_steady(const LengthOptions& options, const std::string& profile);

// `slowest_timer_s`: of the service, 0 when none is known (sandbox/service.h).
// Errors: `usage` for an unknown profile, for a floor above the cap, and for what only --until steady knows.
Result<ServeLength> plan_length(const LengthOptions& options, const std::string& profile,
                                unsigned slowest_timer_s);

}  // namespace hap::cli
