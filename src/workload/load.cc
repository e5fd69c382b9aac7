#include "workload/load.h"

#include <time.h>

#include <algorithm>
#include <thread>

namespace hap::workload {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

Result<LoadPlan> load_profile(const std::string& name) {
  LoadPlan plan;
  if (name == "published") return plan;
  if (name == "fast") {
    plan.requests = 50;
    plan.windows = 10;
    plan.interval = 40ms;
    plan.warm_up = 10;
    return plan;
  }
  return Error("there is no load profile `" + name + "`", ErrorKind::usage).hint("choose published or fast");
}

Status check_plan(const LoadPlan& plan) {
  if (plan.windows == 0) return Error("a load needs at least one window", ErrorKind::usage);
  if (plan.requests < plan.windows) {
    return Error("a load needs at least one request a window: " + std::to_string(plan.requests) +
                     " requests, " + std::to_string(plan.windows) + " windows",
                 ErrorKind::usage);
  }
  return {};
}

Status wait_until_ready(const Workload& workload, const Endpoint& endpoint, const LoadPlan& plan,
                        const std::function<Status()>& alive) {
  const auto deadline = Clock::now() + plan.ready_timeout;
  // A try must not hang on a packet that was lost before the service's network was there; but where a whole
  // program is the client, a slow machine may need longer for it.
  std::chrono::milliseconds patience = std::min<std::chrono::milliseconds>(2000ms, plan.request_timeout);
  for (;;) {
    const auto began = Clock::now();
    auto client = workload.client(endpoint, patience);
    Status tried = client->begin_window();
    if (tried) tried = client->request(0);
    if (tried) return {};
    HAP_CHECK(alive());
    if (Clock::now() - began >= patience) patience = std::min(2 * patience, plan.request_timeout);
    if (Clock::now() >= deadline) {
      return Error("the service was not ready in time: " + tried.error().to_string(), ErrorKind::workload);
    }
    std::this_thread::sleep_for(50ms);
  }
}

Result<LoadResult> offer_load(Client& client, const LoadPlan& plan, const WindowEvents& events) {
  HAP_CHECK(check_plan(plan));
  LoadResult result;
  auto start = Clock::now();
  uint64_t next = 0;
  for (uint32_t window = 0; window < plan.windows; ++window) {
    // Evenly dealt: the first windows take what does not divide.
    const uint64_t end = plan.requests * (window + 1) / plan.windows;
    if (plan.interval.count() > 0) std::this_thread::sleep_until(start + plan.interval * next);
    events.begins(window);
    WindowCount count;
    count.start_ns = monotonic_ns();
    Status status = client.begin_window();
    for (; next < end; ++next) {
      if (plan.interval.count() > 0) std::this_thread::sleep_until(start + plan.interval * next);
      if (status) status = client.request(plan.warm_up + next);
      if (status) {
        ++count.verified;
        continue;
      }
      ++result.failed;
      if (result.first_failure.empty()) result.first_failure = status.error().to_string();
      status = client.begin_window();
    }
    if (events.ended && plan.interval.count() > 0) {
      std::this_thread::sleep_until(start + plan.interval * next);
    } else if (events.ended) {
      std::this_thread::sleep_for(kSettle);
    }
    count.end_ns = monotonic_ns();
    result.verified += count.verified;
    result.windows.push_back(count);
    if (!events.ended) continue;
    const auto paused = Clock::now();
    HAP_TRY(go_on, events.ended(window));
    if (!go_on) break;
    start += Clock::now() - paused;
  }
  return result;
}

}  // namespace hap::workload
