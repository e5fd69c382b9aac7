#include "collect/bpf/arming.h"

#include <algorithm>

namespace hap::collect {

bool LinkAccount::worth_replacing(uint64_t done_entries, size_t keep, std::chrono::nanoseconds since_last,
                                  std::chrono::nanoseconds left_of_window, const TracingCosts& costs) {
  constexpr double waste_before_large_work = 1.0 / 8;
  wasted_entries_ += static_cast<double>(done_entries);
  const double periods_left = static_cast<double>(left_of_window.count()) /
                              static_cast<double>(std::max<int64_t>(since_last.count(), 1));
  const double waste = wasted_entries_ * costs.entry;
  const double expected = static_cast<double>(done_entries) * std::max(periods_left, 0.0) * costs.entry;
  // Making a link and closing one cost about the same: half of costs.link each.
  const double making = keep == 0 ? 0 : costs.link / 2 + static_cast<double>(keep) * costs.function / 2;
  const double price = making + costs.link / 2 + static_cast<double>(functions_) * costs.function / 2;
  return std::max(expected, waste) > price && waste > price * waste_before_large_work;
}

}  // namespace hap::collect
