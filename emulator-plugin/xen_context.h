// SPDX-License-Identifier: GPL-2.0-or-later
//
// What Xen itself is doing on the processor: whether on account of the domain that runs, or of an interrupt.
//
// Xen has one stack per processor and throws it away when it switches domains, so whatever it was doing for
// the one that leaves is done. On that stack, interrupts, exceptions and the two functions that matter nest:
//
//   interrupt                      hardirq
//   do_softirq                     softirq     when an interrupt led there,
//                                  softirq_bh  otherwise (on the way out of a hypercall or exception)
//   schedule within do_softirq     as before: the domain blocks or is preempted, as with Linux's own schedule
//   exceptions, hypercalls         for the domain, and so in the context that the domain's kernel is in
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stream_format.h"

namespace hap_plugin {

class XenContext {
 public:
  // What Xen's own contexts make of the cause; nothing when the domain's is in force.
  std::optional<hap::stream::Cause> cause() const;

  // Events. All return true when the cause may have changed.
  bool interrupt_begins();
  bool nmi_begins() { return push({Activity::nmi, 0, 0}); }
  bool exception_begins() { return push({Activity::exception, 0, 0}); }
  bool interrupt_ends();  // or an exception
  // The function was just entered: the stack pointer is `stack`, and points to its return address.
  bool softirq_begins(uint64_t return_address, uint64_t stack);
  bool schedule_begins(uint64_t return_address, uint64_t stack);
  // Control is at `address`: one of the return addresses above, perhaps.
  bool return_reached(uint64_t address, uint64_t stack);
  // The stack is thrown away.
  bool stack_restarts();
  // Entered from the domain by a hypercall or system call, so nothing can be in progress on the stack.
  bool domain_calls();

  bool anything_in_progress() const { return !frames_.empty(); }
  uint64_t interrupts() const { return interrupts_; }
  // Frames that were never left; a few at most, when an entry was not known.
  uint64_t stale_frames() const { return stale_frames_; }

 private:
  enum class Activity { interrupt, nmi, exception, softirq, schedule };
  struct Frame {
    Activity activity;
    uint64_t return_address;  // of softirq and schedule
    uint64_t stack_after;
  };
  bool push(Frame frame);

  std::vector<Frame> frames_;
  uint64_t interrupts_ = 0;
  uint64_t stale_frames_ = 0;
};

}  // namespace hap_plugin
