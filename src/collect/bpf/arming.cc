#include "collect/bpf/arming.h"

#include <algorithm>

namespace hap::collect {

// Making a link and closing one cost about the same: half each. Without a rest, there is nothing to make.
double TracingCosts::replacing(size_t functions, size_t keep) const {
  const double changes = keep == 0 ? 1 : 2;
  return (changes * link + static_cast<double>(functions + keep) * function) / 2;
}

void TracingCosts::learn(size_t functions, size_t keep, std::chrono::nanoseconds took) {
  constexpr double weight = 1.0 / 4;
  const double changes = keep == 0 ? 1 : 2;
  const double of_functions = static_cast<double>(functions + keep) * function / 2;
  const double of_links = std::max(static_cast<double>(took.count()) - of_functions, 0.0);
  link += weight * (2 * of_links / changes - link);
}

bool LinkAccount::worth_replacing(uint64_t done_entries, size_t keep, const LookTimes& times,
                                  const TracingCosts& costs) {
  constexpr double least_waste = 1.0 / 2;
  const auto entries = static_cast<double>(done_entries);
  wasted_entries_ += entries;
  entries_in_window_ += entries;
  const auto nanoseconds = [](std::chrono::nanoseconds time) {
    return static_cast<double>(std::max<int64_t>(time.count(), 1));
  };
  const double rate = std::min(entries / nanoseconds(times.since_last),
                               entries_in_window_ / nanoseconds(std::max(times.age, times.since_last)));
  const double waste = wasted_entries_ * costs.entry;
  const double expected = times.left.count() > 0 ? rate * nanoseconds(times.left) * costs.entry : 0;
  const double price = costs.replacing(functions_, keep);
  return std::max(expected, waste) > price && waste > price * least_waste;
}

}  // namespace hap::collect
