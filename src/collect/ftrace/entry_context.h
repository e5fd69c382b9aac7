// On whose behalf a traced function entry ran, from the flags the kernel stored with it.
//
// The flags (include/linux/trace_events.h) say whether a hard interrupt or a softirq was being served. Two
// things they cannot say follow from the order of the entries of one processor and from the callers:
//
//   - whether a softirq runs because the task itself enabled bottom halves, or on the way out of an
//   interrupt:
//     the caller of the softirq loop;
//   - the interrupt's own entry and exit code runs before the count goes up and after it went down again,
//   with
//     the flags of the interrupted task: it is recognised by its callers, and their callers, back to the
//     interrupt's entry point.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "hap/recording.h"

namespace hap::collect {

struct TraceEntry {
  uint8_t flags = 0;
  uint32_t function = 0;  // any number that names the function
  uint32_t caller = 0;    // likewise; the two share one numbering
};

// What of the kernel's functions matters here.
enum class FunctionTrait : uint8_t {
  none = 0,
  softirq_loop = 1,      // handle_softirqs, __do_softirq
  enables_softirqs = 2,  // do_softirq and its parts: the task's own doing when it calls the loop
  interrupt_edge = 4,    // irq_enter_rcu, irq_exit_rcu, __irq_exit_rcu
  interrupt_entry = 8,   // sysvec_*, common_interrupt: never traced, but callers
  runs_guest = 16,       // kvm_arch_vcpu_ioctl_run: whoever enters it is a vCPU thread
};
FunctionTrait trait_of(std::string_view function_name);

// One per processor; entries in their order.
class EntryContext {
 public:
  Cause classify(const TraceEntry& entry, FunctionTrait function, FunctionTrait caller);

 private:
  bool softirq_by_task_ = false;
  bool softirq_known_ = false;                   // the loop's start was seen
  std::unordered_set<uint32_t> edge_functions_;  // reached from the last interrupt's entry or exit code
};

}  // namespace hap::collect
