// SPDX-License-Identifier: GPL-2.0-or-later
#include "xen_context.h"

#include <algorithm>
#include <cstddef>

namespace hap_plugin {
namespace {

using hap::stream::Cause;

constexpr size_t deepest_nesting = 64;

}  // namespace

std::optional<Cause> XenContext::cause() const {
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    switch (frame->activity) {
      case Activity::exception:
        continue;
      case Activity::schedule:
        return std::nullopt;
      case Activity::nmi:
        return Cause::nmi;
      case Activity::interrupt:
        return Cause::hardirq;
      case Activity::softirq:
        return std::any_of(frame + 1, frames_.rend(),
                           [](const Frame& outer) { return outer.activity == Activity::interrupt; })
                   ? Cause::softirq
                   : Cause::softirq_bh;
    }
  }
  return std::nullopt;
}

bool XenContext::push(Frame frame) {
  if (frames_.size() >= deepest_nesting) {
    ++stale_frames_;
    frames_.clear();
  }
  frames_.push_back(frame);
  return frame.activity != Activity::exception;
}

bool XenContext::interrupt_begins() {
  ++interrupts_;
  return push({Activity::interrupt, 0, 0});
}

bool XenContext::softirq_begins(uint64_t return_address, uint64_t stack) {
  return push({Activity::softirq, return_address, stack + 8});
}

bool XenContext::schedule_begins(uint64_t return_address, uint64_t stack) {
  return push({Activity::schedule, return_address, stack + 8});
}

// Functions entered within an interrupt or exception have returned before it ends.
bool XenContext::interrupt_ends() {
  bool changed = false;
  while (!frames_.empty()) {
    const Activity activity = frames_.back().activity;
    frames_.pop_back();
    changed = changed || activity != Activity::exception;
    if (activity != Activity::softirq && activity != Activity::schedule) break;
  }
  return changed;
}

bool XenContext::return_reached(uint64_t address, uint64_t stack) {
  if (frames_.empty() || frames_.back().return_address != address || frames_.back().stack_after != stack)
    return false;
  frames_.pop_back();
  return true;
}

bool XenContext::stack_restarts() {
  const bool changed = !frames_.empty();
  frames_.clear();
  return changed;
}

bool XenContext::domain_calls() {
  if (frames_.empty()) return false;
  ++stale_frames_;
  frames_.clear();
  return true;
}

}  // namespace hap_plugin
