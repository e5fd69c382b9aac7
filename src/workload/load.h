// Offering load: readiness, warm-up, and the slices of verified requests that become windows.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hap/result.h"
#include "workload/workload.h"

namespace hap::workload {

// `requests` are dealt evenly to `windows`. With a positive interval request k starts k x interval after the
// first; otherwise each starts when the one before it was verified.
struct LoadPlan {
  uint64_t requests = 300;
  uint32_t windows = 30;
  std::chrono::milliseconds interval{100};
  uint64_t warm_up = 40;  // requests before the first window, in the phase `setup`, at the same interval
  std::chrono::milliseconds request_timeout{30000};
  std::chrono::milliseconds ready_timeout{180000};
};

// `published` (300 requests at 10 per second) or `fast` (50 at 25 per second: two seconds, so that timers
// which tick ten times a second take part in every run, however fast the machine is). Errors: `usage`.
Result<LoadPlan> load_profile(const std::string& name);
// `usage` when no window or fewer requests than windows are asked for.
Status check_plan(const LoadPlan& plan);

// Tries a real request until one is verified. `alive` says why waiting is pointless (the service ended), or
// nothing. Errors: `workload` with the reason of the last try.
Status wait_until_ready(const Workload& workload, const Endpoint& endpoint, const LoadPlan& plan,
                        const std::function<Status()>& alive);

struct WindowCount {
  int64_t start_ns = 0;  // CLOCK_MONOTONIC
  int64_t end_ns = 0;
  uint64_t verified = 0;
};

struct LoadResult {
  std::vector<WindowCount> windows;
  uint64_t verified = 0;
  uint64_t failed = 0;
  std::string first_failure;  // empty when none failed
};

// What is done around a window; `index` counts from 0.
struct WindowEvents {
  std::function<void(uint32_t index)> begins;
  // Optional. After the window's last request and its share of the pace; false: the load is over. The time
  // that this takes is no part of any window, and pacing goes on behind it.
  std::function<Result<bool>(uint32_t index)> ended;
};

// How long a window that `ended` closes stays open behind its last reply when requests are not paced, so that
// the service's way back into waiting is within the window.
inline constexpr std::chrono::milliseconds kSettle{20};

// Offers the load: the plan's windows, or fewer when `events.ended` says so. A request that fails is counted
// and ends its window's connection; the load goes on. Errors: those of `events.ended`.
Result<LoadResult> offer_load(Client& client, const LoadPlan& plan, const WindowEvents& events);

int64_t monotonic_ns();

}  // namespace hap::workload
