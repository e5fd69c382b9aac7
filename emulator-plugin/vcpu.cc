// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu.h"

namespace hap_plugin {

using hap::stream::Cause;

namespace {

const Frame* innermost_interrupt(const TaskState& task) {
  for (auto frame = task.frames.rbegin(); frame != task.frames.rend(); ++frame) {
    if (frame->interrupt) return &*frame;
  }
  return nullptr;
}

void count_interrupts(Vcpu& vcpu) {
  vcpu.interrupt_depth = 0;
  for (const Frame& frame : vcpu.task->frames) vcpu.interrupt_depth += frame.interrupt ? 1 : 0;
}

}  // namespace

Cause cause_of(const Vcpu& vcpu, const ContextMasks& masks) {
  const uint32_t count = vcpu.preempt_count;
  if ((count & masks.nmi) != 0) return Cause::nmi;
  if ((count & masks.hardirq) != 0) return Cause::hardirq;
  const bool softirq = (count & masks.softirq) != 0;
  const Frame* frame = vcpu.task == nullptr ? nullptr : innermost_interrupt(*vcpu.task);
  const bool in_interrupt = frame != nullptr && !frame->task_again;
  if (in_interrupt) return softirq && !frame->softirq_at_entry ? Cause::softirq : Cause::hardirq;
  return softirq ? Cause::softirq_bh : Cause::process;
}

uint32_t owner_in_force(Vcpu& vcpu) {
  auto& regions = vcpu.task->regions;
  const auto cause = static_cast<uint8_t>(vcpu.cause);
  while (!regions.empty()) {
    const Region& top = regions.back();
    if (top.cause == cause && top.interrupt_depth == vcpu.interrupt_depth) return top.owner;
    // Contexts nest: in a deeper one the region sleeps, in a shallower one its own has ended.
    if (top.interrupt_depth < vcpu.interrupt_depth ||
        (top.interrupt_depth == vcpu.interrupt_depth && top.cause < cause)) {
      return 0;
    }
    regions.pop_back();
  }
  return 0;
}

void push_frame(Vcpu& vcpu, bool interrupt, const ContextMasks& masks) {
  vcpu.task->frames.push_back({interrupt, false, (vcpu.preempt_count & masks.softirq) != 0});
  count_interrupts(vcpu);
}

void pop_frame(Vcpu& vcpu) {
  if (!vcpu.task->frames.empty()) vcpu.task->frames.pop_back();
  count_interrupts(vcpu);
}

void release_frame(Vcpu& vcpu, const ContextMasks& masks) {
  if ((vcpu.preempt_count & masks.all()) != 0) return;
  for (auto frame = vcpu.task->frames.rbegin(); frame != vcpu.task->frames.rend(); ++frame) {
    if (frame->interrupt) {
      frame->task_again = true;
      return;
    }
  }
}

}  // namespace hap_plugin
