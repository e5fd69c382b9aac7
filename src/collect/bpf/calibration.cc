#include "collect/bpf/calibration.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

namespace hap::collect {
namespace {

constexpr int rounds = 3;
constexpr int calls = 1000;

// The least of some rounds: what else the processor did only ever adds.
double nanoseconds_per_call() {
  double least = std::numeric_limits<double>::max();
  for (int round = 0; round < rounds; ++round) {
    const auto before = thread_time();
    for (int call = 0; call < calls; ++call) ::syscall(SYS_getppid);
    least = std::min(least, static_cast<double>((thread_time() - before).count()) / calls);
  }
  return least;
}

}  // namespace

std::chrono::nanoseconds thread_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Result<TracingCosts> calibrate(uint32_t getppid_function, const MakeLink& make_link) {
  constexpr double least_entry = 10;  // no processor traces a call in less
  const std::array<uint32_t, 1> function{getppid_function};
  TracingCosts costs;
  const double untraced = nanoseconds_per_call();
  // The first link pays for what the kernel sets up once.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto before = thread_time();
    HAP_TRY(attached, attach_all(function, make_link));
    const auto made = thread_time() - before;
    costs.entry = std::max(nanoseconds_per_call() - untraced, least_entry);
    const auto closing = thread_time();
    attached.links.clear();
    costs.link = static_cast<double>((made + thread_time() - closing).count());
  }
  return costs;
}

}  // namespace hap::collect
