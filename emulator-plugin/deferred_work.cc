// SPDX-License-Identifier: GPL-2.0-or-later
#include "deferred_work.h"

#include <cstddef>

namespace hap_plugin {
namespace {
// Items freed without having run stay here; this bounds what they cost.
constexpr size_t most_items = 1u << 20;
}  // namespace

void DeferredWork::queued(uint64_t item, uint32_t task, bool delayed) {
  if (task == 0) {
    const auto found = items_.find(item);
    if (found != items_.end() && !found->second.delayed) items_.erase(found);
    return;
  }
  if (items_.size() >= most_items) {
    ++overflows_;
    return;
  }
  items_[item] = {task, delayed};
}

uint32_t DeferredWork::take(uint64_t item) {
  const auto found = items_.find(item);
  if (found == items_.end()) return 0;
  const uint32_t task = found->second.task;
  items_.erase(found);
  return task;
}

}  // namespace hap_plugin
