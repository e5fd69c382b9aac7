#include "live/hit_book.h"

#include <utility>

namespace hap::live {

void HitBook::hit(uint64_t address, collect::ThreadClass thread_class, Cause cause) {
  if (thread_class == collect::ThreadClass::none || window_ == 0) return;
  auto& windows = hits_[{address, thread_class, cause}];
  if (windows.empty() || windows.back() != window_) windows.push_back(window_);
  functions_.insert(address);
}

void HitBook::system_calls(collect::ThreadClass thread_class, int32_t number, uint64_t count) {
  if (thread_class != collect::ThreadClass::none) calls_[{thread_class, number}] += count;
}

void HitBook::thread_seen(pid_t tid, collect::ThreadClass thread_class) {
  new_threads_.emplace_back(tid, thread_class);
}

std::vector<std::pair<pid_t, collect::ThreadClass>> HitBook::take_new_threads() {
  return std::exchange(new_threads_, {});
}

}  // namespace hap::live
