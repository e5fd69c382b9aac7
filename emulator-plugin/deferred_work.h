// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who queued a piece of deferred work: workqueue items and RCU callbacks by the address of their control
// structure, from the moment they are queued until they run.
#pragma once

#include <cstdint>
#include <unordered_map>

namespace hap_plugin {

class DeferredWork {
 public:
  // `task` 0: queued by nobody in particular (an interrupt), so whatever was known of this address is void;
  // but a delayed item keeps its owner when its timer, an interrupt, moves it to the queue.
  void queued(uint64_t item, uint32_t task, bool delayed);

  // The task that queued it, 0 when unknown; forgets it, since the item may be queued anew from now on.
  uint32_t take(uint64_t item);

  uint64_t overflows() const { return overflows_; }

 private:
  struct Entry {
    uint32_t task;
    bool delayed;
  };
  std::unordered_map<uint64_t, Entry> items_;
  uint64_t overflows_ = 0;
};

}  // namespace hap_plugin
