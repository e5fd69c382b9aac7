// Dealing requests to windows, pacing, and counting what was not served.
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "workload/load.h"

namespace hap::workload {
namespace {

using namespace std::chrono_literals;

class CountingClient : public Client {
 public:
  explicit CountingClient(std::set<uint64_t> failing = {}) : failing_(std::move(failing)) {}
  Status begin_window() override {
    ++windows;
    return {};
  }
  Status request(uint64_t n) override {
    seen.push_back(n);
    if (failing_.count(n) != 0) return Error("request " + std::to_string(n), ErrorKind::workload);
    return {};
  }
  Status prove(uint64_t) override { return {}; }
  std::vector<uint64_t> seen;
  int windows = 0;

 private:
  std::set<uint64_t> failing_;
};

LoadPlan plan_of(uint64_t requests, uint32_t windows) {
  LoadPlan plan;
  plan.requests = requests;
  plan.windows = windows;
  plan.interval = 0ms;
  plan.warm_up = 100;
  return plan;
}

TEST(Load, DealsEveryRequestOnceAndEvenly) {
  CountingClient client;
  std::vector<uint32_t> begun;
  const auto result =
      offer_load(client, plan_of(50, 7), {[&](uint32_t window) { begun.push_back(window); }, {}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verified, 50U);
  EXPECT_EQ(result->windows.size(), 7U);
  EXPECT_EQ(begun, (std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6}));
  uint64_t sum = 0;
  for (const auto& window : result->windows) {
    EXPECT_GE(window.verified, 7U);
    EXPECT_LE(window.verified, 8U);
    EXPECT_GE(window.end_ns, window.start_ns);
    sum += window.verified;
  }
  EXPECT_EQ(sum, 50U);
  // Numbered behind the warm-up's, each once.
  ASSERT_EQ(client.seen.size(), 50U);
  EXPECT_EQ(client.seen.front(), 100U);
  EXPECT_EQ(client.seen.back(), 149U);
}

TEST(Load, CountsAFailureAndGoesOn) {
  CountingClient client({103, 110});
  const auto result = offer_load(client, plan_of(20, 4), {[](uint32_t) {}, {}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verified, 18U);
  EXPECT_EQ(result->failed, 2U);
  EXPECT_EQ(result->first_failure, "request 103");
}

TEST(Load, PacesRequests) {
  CountingClient client;
  LoadPlan plan = plan_of(6, 3);
  plan.interval = 20ms;
  const int64_t start = monotonic_ns();
  ASSERT_TRUE(offer_load(client, plan, {[](uint32_t) {}, {}}));
  // Six requests have five gaps.
  EXPECT_GE(monotonic_ns() - start, 100'000'000);
}

TEST(Load, EndsWithTheWindowAfterWhichItIsTold) {
  CountingClient client;
  const auto result = offer_load(
      client, plan_of(40, 8), {[](uint32_t) {}, [](uint32_t window) -> Result<bool> { return window < 2; }});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->windows.size(), 3U);
  EXPECT_EQ(result->verified, 15U);
  EXPECT_EQ(client.windows, 3);
  EXPECT_GE(result->windows[0].end_ns - result->windows[0].start_ns, 20'000'000) << "time to settle";
}

TEST(Load, APauseBetweenWindowsIsNotCaughtUp) {
  CountingClient client;
  LoadPlan plan = plan_of(6, 3);
  plan.interval = 10ms;
  const int64_t start = monotonic_ns();
  const auto pause = [](uint32_t) -> Result<bool> {
    ::usleep(60000);
    return true;
  };
  ASSERT_TRUE(offer_load(client, plan, {[](uint32_t) {}, pause}));
  // Three windows of two requests, 10 ms each, and three pauses.
  EXPECT_GE(monotonic_ns() - start, 240'000'000);
}

// Its client needs three seconds for a request, however long it is given.
class SlowWorkload : public Workload {
 public:
  sandbox::Service service() const override { return {}; }
  std::unique_ptr<Client> client(const Endpoint&, std::chrono::milliseconds timeout) const override {
    struct Slow : CountingClient {
      explicit Slow(std::chrono::milliseconds given) : timeout(given) {}
      Status request(uint64_t) override {
        if (timeout >= 3000ms) return {};
        ::usleep(static_cast<useconds_t>(timeout.count() * 1000));
        return Error("no answer in time", ErrorKind::workload);
      }
      std::chrono::milliseconds timeout;
    };
    return std::make_unique<Slow>(timeout);
  }
};

TEST(Load, ATryIsGivenMoreTimeAfterOneThatTookAllOfIt) {
  LoadPlan plan = plan_of(1, 1);
  plan.ready_timeout = 10000ms;
  EXPECT_TRUE(wait_until_ready(SlowWorkload(), {}, plan, [] { return Status(); }));
  plan.request_timeout = 1000ms;
  plan.ready_timeout = 1500ms;
  EXPECT_FALSE(wait_until_ready(SlowWorkload(), {}, plan, [] { return Status(); }));
}

TEST(Load, WhatEndsAWindowMayFail) {
  CountingClient client;
  const auto result =
      offer_load(client, plan_of(6, 3),
                 {[](uint32_t) {}, [](uint32_t) -> Result<bool> { return Error("the host is gone"); }});
  ASSERT_FALSE(result);
}

TEST(Load, ProfilesAreThePublishedOneAndAFastOne) {
  const auto published = load_profile("published");
  ASSERT_TRUE(published);
  EXPECT_EQ(published->requests, 300U);
  EXPECT_EQ(published->interval, 100ms);
  const auto fast = load_profile("fast");
  ASSERT_TRUE(fast);
  EXPECT_EQ(fast->requests, 50U);
  EXPECT_EQ(fast->interval, 40ms);
  EXPECT_EQ(load_profile("slow").error().kind(), ErrorKind::usage);
}

TEST(Load, RefusesPlansThatMakeNoSense) {
  EXPECT_FALSE(check_plan(plan_of(10, 0)));
  EXPECT_FALSE(check_plan(plan_of(3, 4)));
  EXPECT_TRUE(check_plan(plan_of(4, 4)));
}

}  // namespace
}  // namespace hap::workload
