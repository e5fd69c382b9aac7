#include "collect/ftrace/entry_context.h"

#include <string_view>

namespace hap::collect {
namespace {

// include/linux/trace_events.h: enum trace_flag_type.
constexpr uint8_t flag_hardirq = 0x08;
constexpr uint8_t flag_softirq = 0x10;
constexpr uint8_t flag_nmi = 0x40;

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

FunctionTrait trait_of(std::string_view name) {
  if (name == "handle_softirqs" || name == "__do_softirq") return FunctionTrait::softirq_loop;
  if (name == "do_softirq" || begins_with(name, "do_softirq.")) return FunctionTrait::enables_softirqs;
  if (name == "irq_enter_rcu" || name == "irq_exit_rcu" || name == "__irq_exit_rcu" || name == "irq_exit" ||
      name == "irq_enter") {
    return FunctionTrait::interrupt_edge;
  }
  if (begins_with(name, "sysvec_") || name == "common_interrupt" || name == "spurious_interrupt") {
    return FunctionTrait::interrupt_entry;
  }
  if (name == "kvm_arch_vcpu_ioctl_run") return FunctionTrait::runs_guest;
  return FunctionTrait::none;
}

Cause EntryContext::classify(const TraceEntry& entry, FunctionTrait function, FunctionTrait caller) {
  if ((entry.flags & flag_nmi) != 0) return Cause::nmi;
  if ((entry.flags & flag_hardirq) != 0) return Cause::hardirq;
  if ((entry.flags & flag_softirq) != 0) {
    return softirq_known_ && softirq_by_task_ ? Cause::softirq_bh : Cause::softirq;
  }
  softirq_known_ = false;
  if (function == FunctionTrait::softirq_loop) {
    // Its own entry precedes the count that the flag shows. The outer of the two loops' names calls the
    // inner.
    if (caller != FunctionTrait::softirq_loop) softirq_by_task_ = caller == FunctionTrait::enables_softirqs;
    softirq_known_ = true;
    // The loop is still the task's doing when the task called it.
    return softirq_by_task_ ? Cause::process : Cause::softirq;
  }
  if (function == FunctionTrait::interrupt_edge) {
    edge_functions_.clear();
    return Cause::hardirq;
  }
  if (caller == FunctionTrait::interrupt_edge || caller == FunctionTrait::interrupt_entry ||
      edge_functions_.contains(entry.caller)) {
    edge_functions_.insert(entry.function);
    return Cause::hardirq;
  }
  return Cause::process;
}

}  // namespace hap::collect
