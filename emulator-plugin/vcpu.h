// SPDX-License-Identifier: GPL-2.0-or-later
//
// One virtual processor: what runs on it, in which context, and so who the actor is.
//
// The context is the kernel's own: the stored values of its preempt count (seen as they are written) say
// whether a soft or hard interrupt or an NMI is being served. Around that, code between an interrupt's entry
// and the place where the kernel accounts for it, and on the way out, is found from the frames that entries
// push and iretq pops.
//
//   preempt count: NMI bits          -> nmi
//                  hardirq bits      -> hardirq
//                  softirq bit       -> softirq     when it was set within an interrupt frame,
//                                       softirq_bh  otherwise (the task enabled bottom halves, or ksoftirqd)
//                  none, but inside an interrupt frame that has not gone back to the task -> hardirq
//                  otherwise         -> process
#pragma once

#include <cstdint>

#include "actors.h"
#include "tasks.h"

namespace hap_plugin {

struct ContextMasks {
  uint32_t softirq;
  uint32_t hardirq;
  uint32_t nmi;
  uint32_t all() const { return softirq | hardirq | nmi; }
};

struct Vcpu {
  uint64_t bit = 0;    // the actor's in the masks of blocks; 0: none, every block is looked at
  size_t word_at = 0;  // where the word with that bit is, from a block's first
  Actor* actor = nullptr;
  TaskState* task = nullptr;
  uint32_t preempt_count = 0;
  hap::stream::Cause cause = hap::stream::Cause::process;
  uint32_t owner = 0;
  bool in_guest = false;
  uint64_t guest_exit_address = 0;  // where the machine goes on after the nested guest; 0: never entered
  uint8_t interrupt_depth = 0;      // interrupt frames of the current task
};

hap::stream::Cause cause_of(const Vcpu& vcpu, const ContextMasks& masks);

// Forgets regions of contexts that have ended, then tells the owner in force (0: none).
uint32_t owner_in_force(Vcpu& vcpu);

void push_frame(Vcpu& vcpu, bool interrupt, const ContextMasks& masks);
void pop_frame(Vcpu& vcpu);

// The kernel works for the task again although an interrupt frame is still there.
void release_frame(Vcpu& vcpu, const ContextMasks& masks);

}  // namespace hap_plugin
