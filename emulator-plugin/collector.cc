// SPDX-License-Identifier: GPL-2.0-or-later
#include "collector.h"

#include <utility>

namespace hap_plugin {

using hap::stream::Cause;
using hap::stream::ImageKind;
using hap::stream::Owner;

Collector::Collector(const HookTable& hooks, Memory masks, ActorBit* actor_bits)
    : hooks_(hooks),
      blocks_(std::move(masks)),
      tasks_(hooks, guest_, stream_),
      mappings_(hooks, guest_, images_),
      actors_(stream_),
      packets_(hooks, guest_, tasks_),
      xen_(hooks, guest_, tasks_),
      masks_{static_cast<uint32_t>(hooks.value("softirq_bit")),
             static_cast<uint32_t>(hooks.value("hardirq_mask")),
             static_cast<uint32_t>(hooks.value("nmi_mask"))},
      preempt_count_variable_(hooks.value("preempt_count")),
      kernel_image_(images_.id(ImageKind::host_kernel, 0, 0, "vmlinux")),
      guest_kernel_image_(images_.id(ImageKind::guest_kernel, 0, 0, "[guest-kernel]")),
      guest_user_image_(images_.id(ImageKind::guest_user, 0, 0, "[guest-user]")),
      hypervisor_image_(images_.id(ImageKind::hypervisor, 0, 0, "xen")),
      unresolved_image_(images_.id(ImageKind::user_anonymous, 0, 0, "[unresolved]")) {
  actor_bits_ = actor_bits;
  blocks_.set_kernel_images(kernel_image_, hypervisor_image_);
}

void Collector::add_vcpu(unsigned index) {
  if (index >= most_vcpus) return;
  if (vcpus_.size() <= index) vcpus_.resize(index + 1);
  last_active_ = &vcpus_[0];
  if (!registers_bound_) registers_bound_ = guest_.bind_registers();
}

// --- blocks
// -----------------------------------------------------------------------------------------------------

void Collector::note_block(Vcpu& vcpu, Block& block) {
  last_active_ = &vcpu;
  if (block.in_guest != vcpu.in_guest) {
    if (block.in_guest) {
      vcpu.in_guest = true;
      refresh(vcpu);
    } else {
      leave_guest(vcpu);
    }
  }
  if (block.return_site) {
    if (xen_.context().anything_in_progress() &&
        xen_.context().return_reached(block.place.address, guest_.read_register(Register::rsp))) {
      refresh(vcpu);
    }
    if (vcpu.task != nullptr && !vcpu.task->regions.empty()) return_reached(vcpu, block.place.address);
  }
  if (window_ == 0 || vcpu.actor == nullptr) return;
  record(vcpu, block);
}

void Collector::record(Vcpu& vcpu, Block& block) {
  if (block.id == 0) define(block);
  if (block.return_site || vcpu.bit == 0) {
    if (!blocks_.first_time(block, vcpu.actor->id)) return;
  } else {
    uint64_t& word = block.mask[vcpu.word_at];
    if ((word & vcpu.bit) != 0) return;
    word |= vcpu.bit;
  }
  hits_.push_back(vcpu.actor->id);
  hits_.push_back(block.id);
  ++count_.hits;
  if (hits_.size() >= 1u << 17) write_hits();
}

void Collector::define(Block& block) {
  static constexpr uint32_t first_block = 1;
  const uint32_t image = block.place.image;
  ImageRow& row = images_.row(image);
  if (!row.written) {
    row.written = true;
    stream_.begin(hap::stream::Chunk::image);
    stream_.u32(image);
    stream_.u8(static_cast<uint8_t>(row.kind));
    stream_.u64(row.device);
    stream_.u64(row.inode);
    stream_.string(row.path);
    stream_.end();
  }
  block.id = first_block + static_cast<uint32_t>(counters_["blocks_executed"]++);
  ++new_blocks_;
  stream_.begin(hap::stream::Chunk::block);
  stream_.u32(block.id);
  stream_.u32(image);
  stream_.u64(block.place.address);
  stream_.u32(block.size);
  stream_.u64(block.hash);
  stream_.end();
}

Block* Collector::user_block(uint64_t address, uint32_t size, uint64_t hash) {
  CodePlace place = registers_bound_ ? mappings_.place(address) : CodePlace{};
  if (place.image == 0) place = {unresolved_image_, address};
  return blocks_.find(place, size, hash, false);
}

Block* Collector::kernel_block(uint64_t address, uint32_t size, uint64_t hash) {
  if (xen_.owns(address)) return blocks_.find({hypervisor_image_, address}, size, hash, false);
  if (xen_.present() && registers_bound_ && !guest_.knows_kernel_page_table()) {
    guest_.learn_kernel_page_table(hooks_.value("init_top_pgt"));
  }
  return blocks_.find({kernel_image_, address}, size, hash, false);
}

Block* Collector::guest_block(uint64_t address, uint32_t size, uint64_t hash) {
  const bool kernel = (address >> 63) != 0;
  // Xen's switch tells when its guests run; a nested guest's own blocks do.
  return blocks_.find({kernel ? guest_kernel_image_ : guest_user_image_, address}, size, hash,
                      !xen_.present());
}

// --- who runs
// ---------------------------------------------------------------------------------------------------

void Collector::set_task(Vcpu& vcpu, TaskState* task) {
  vcpu.task = task;
  vcpu.interrupt_depth = 0;
  for (const Frame& frame : task->frames) vcpu.interrupt_depth += frame.interrupt ? 1 : 0;
}

void Collector::refresh(Vcpu& vcpu) {
  TaskState* task = xen_.running() != nullptr ? xen_.running() : vcpu.task;
  if (task == nullptr) return;
  const auto beneath = xen_.context().cause();
  const bool machine_decides = task == vcpu.task && !beneath;
  vcpu.cause = machine_decides ? cause_of(vcpu, masks_) : beneath.value_or(Cause::process);
  vcpu.owner = vcpu.in_guest || !machine_decides ? 0 : owner_in_force(vcpu);
  Actor& actor = find_actor(vcpu, *task);
  vcpu.actor = &actor;
  vcpu.bit = 0;
  if (window_ != 0) {
    actors_.place(actor, window_);
    if (actor.slot < mask_slots) {
      vcpu.bit = uint64_t{1} << (actor.slot % 64);
      vcpu.word_at = actor.slot / 64 * block_capacity;
    }
  }
  const uint32_t in_first_half = vcpu.word_at == 0 ? static_cast<uint32_t>(vcpu.bit) : 0;
  actor_bits_[&vcpu - vcpus_.data()] = {vcpu.bit, vcpu.word_at, in_first_half};
}

Actor& Collector::find_actor(Vcpu& vcpu, TaskState& task) {
  const uint32_t row = tasks_.row_of(task);
  if (vcpu.in_guest) return actors_.find(row, vcpu.cause, 0, true);
  auto& known = task.actors[static_cast<size_t>(vcpu.cause)];
  if (vcpu.owner == 0) {
    if (known.unowned == nullptr) known.unowned = &actors_.find(row, vcpu.cause, 0, false);
    return *known.unowned;
  }
  if (known.owned == nullptr || known.owner != vcpu.owner) {
    known.owned = &actors_.find(row, vcpu.cause, vcpu.owner, false);
    known.owner = vcpu.owner;
  }
  return *known.owned;
}

void Collector::refresh_all() {
  for (Vcpu& vcpu : vcpus_) refresh(vcpu);
}

void Collector::switch_runs(unsigned index) {
  Vcpu& vcpu = vcpus_[index];
  ++count_.switches;
  const uint64_t previous = guest_.read_register(Register::rdi);
  const uint64_t next = guest_.read_register(Register::rsi);
  if (vcpu.task != nullptr && vcpu.task->address != previous) ++count_.switch_mismatches;
  set_task(vcpu, tasks_.look(next));
  refresh(vcpu);
}

void Collector::preempt_count_stored(unsigned index, uint32_t value) {
  Vcpu& vcpu = vcpus_[index];
  ++count_.preempt_stores;
  const uint32_t changed = (vcpu.preempt_count ^ value) & masks_.all();
  vcpu.preempt_count = value;
  if (changed != 0) refresh(vcpu);
}

void Collector::interrupt_returns(unsigned index) {
  Vcpu& vcpu = vcpus_[index];
  if (vcpu.task == nullptr) return;
  pop_frame(vcpu);
  refresh(vcpu);
}

void Collector::guest_entered(unsigned index, uint64_t exit_address) {
  Vcpu& vcpu = vcpus_[index];
  ++count_.guest_entries;
  vcpu.in_guest = true;
  guest_exit_addresses_.insert(exit_address);
  refresh(vcpu);
}

void Collector::leave_guest(Vcpu& vcpu) {
  vcpu.in_guest = false;
  refresh(vcpu);
}

void Collector::hypervisor_interrupt_returns(unsigned index) {
  if (xen_.context().interrupt_ends()) refresh(vcpus_[index]);
}

bool Collector::translating_guest(uint64_t address) {
  if (xen_.present()) return xen_.guest_runs() && !xen_.owns(address);
  // A nested guest always leaves to the instruction behind the one that entered it.
  return last_active_ != nullptr && last_active_->in_guest && guest_exit_addresses_.count(address) == 0;
}

// --- kernel functions
// --------------------------------------------------------------------------------------------

void Collector::hook_runs(unsigned index, const Hook& hook) {
  Vcpu& vcpu = vcpus_[index];
  last_active_ = &vcpu;
  if (hypervisor_hook_runs(vcpu, hook) || vcpu.task == nullptr) return;
  switch (hook.kind) {
    case HookKind::interrupt_return:
      pop_frame(vcpu);
      refresh(vcpu);
      return;
    case HookKind::interrupt:
      ++count_.interrupts;
      push_frame(vcpu, true, masks_);
      refresh(vcpu);
      return;
    case HookKind::exception:
      ++count_.exceptions;
      push_frame(vcpu, false, masks_);
      return;
    case HookKind::task_again:
      if (vcpu.interrupt_depth == 0) return;
      release_frame(vcpu, masks_);
      refresh(vcpu);
      return;
    case HookKind::syscall: {
      // From user mode: nothing can be in progress on this stack.
      if (!vcpu.task->frames.empty()) {
        ++count_.frames_dropped;
        vcpu.task->frames.clear();
        vcpu.interrupt_depth = 0;
        refresh(vcpu);
      }
      if (window_ == 0) return;
      ++count_.syscalls;
      const auto number = static_cast<uint32_t>(guest_.read_register(Register::rsi));
      const uint64_t key = static_cast<uint64_t>(vcpu.task->row) << 24 | static_cast<uint64_t>(phase_) << 16 |
                           (number & 0xffff);
      ++syscalls_[key];
      return;
    }
    case HookKind::exec_done:
      set_task(vcpu, tasks_.look(vcpu.task->address));
      refresh(vcpu);
      return;
    case HookKind::queue_work:
      work_queued(vcpu, guest_.read_register(Register::rdx), false);
      return;
    case HookKind::queue_delayed_work:
      work_queued(vcpu, guest_.read_register(Register::rdx), true);
      return;
    case HookKind::call_rcu:
      work_queued(vcpu, guest_.read_register(Register::rdi), false);
      return;
    case HookKind::process_work: {
      ++count_.work_runs;
      const uint32_t task = work_.take(guest_.read_register(Register::rsi));
      if (task == 0) return;
      ++count_.work_owned;
      enter_region(vcpu, actors_.owner(Owner::work, task, {}));
      return;
    }
    case HookKind::receive_skb:
      if (wants_receive_owner(vcpu)) {
        receive_region(vcpu, Owner::netdev, packets_.device_of_packet(guest_.read_register(Register::rdi)));
      }
      return;
    case HookKind::receive_skb_at:
      if (wants_receive_owner(vcpu)) {
        const uint64_t skb = guest_.read_u64(guest_.read_register(Register::rdi)).value_or(0);
        if (skb != 0) receive_region(vcpu, Owner::netdev, packets_.device_of_packet(skb));
      }
      return;
    case HookKind::receive_list:
      if (wants_receive_owner(vcpu)) {
        receive_region(vcpu, Owner::netdev, packets_.device_name(guest_.read_register(Register::rdx)));
      }
      return;
    case HookKind::napi_poll:
      if (wants_receive_owner(vcpu)) {
        receive_region(vcpu, Owner::netdev, packets_.device_of_poll(guest_.read_register(Register::rdi)));
      }
      return;
    case HookKind::socket_receive:
      if (wants_receive_owner(vcpu)) {
        receive_region(vcpu, Owner::socket, packets_.cgroup_of_socket(guest_.read_register(Register::rdi)));
      }
      return;
    case HookKind::emulate_instruction: {
      // EMULTYPE_SKIP (arch/x86/include/asm/kvm_host.h): the instruction is only stepped over, which real
      // processors do with the next-RIP they save.
      constexpr uint64_t emulation_skip = 1u << 2;
      if ((guest_.read_register(Register::rdx) & emulation_skip) == 0) return;
      ++count_.emulation_regions;
      enter_region(vcpu, actors_.owner(Owner::emulation, 0, {}));
      return;
    }
    case HookKind::fetch_instruction:
      // Decode assists hand over the bytes of the instruction that caused a nested page fault.
      ++count_.emulation_regions;
      enter_region(vcpu, actors_.owner(Owner::emulation, 0, {}));
      return;
    default:  // taken care of before
      return;
  }
}

bool Collector::hypervisor_hook_runs(Vcpu& vcpu, const Hook& hook) {
  const auto enter = [&](bool (XenContext::*begins)(uint64_t, uint64_t)) {
    const uint64_t stack = guest_.read_register(Register::rsp);
    const auto return_address = guest_.read_u64(stack);
    if (!return_address) return false;
    blocks_.watch_return(*return_address);
    return (xen_.context().*begins)(*return_address, stack);
  };
  bool changed = false;
  switch (hook.kind) {
    case HookKind::xen_switch:
      xen_.switches_to(guest_.read_register(Register::rsi));
      changed = true;
      break;
    case HookKind::xen_restart:
      changed = xen_.context().stack_restarts();
      break;
    case HookKind::xen_call:
      changed = xen_.context().domain_calls();
      break;
    case HookKind::xen_interrupt:
      changed = xen_.context().interrupt_begins();
      break;
    case HookKind::xen_nmi:
      changed = xen_.context().nmi_begins();
      break;
    case HookKind::xen_exception:
      changed = xen_.context().exception_begins();
      break;
    case HookKind::xen_softirq:
      changed = enter(&XenContext::softirq_begins);
      break;
    case HookKind::xen_schedule:
      changed = enter(&XenContext::schedule_begins);
      break;
    default:
      return false;
  }
  if (changed) refresh(vcpu);
  return true;
}

void Collector::rcu_call_runs(unsigned index, uint64_t return_address) {
  Vcpu& vcpu = vcpus_[index];
  if (vcpu.task == nullptr) return;
  const uint32_t task = work_.take(guest_.read_register(Register::rdi));
  if (task == 0) return;
  ++count_.rcu_owned;
  enter_region(vcpu, actors_.owner(Owner::rcu, task, {}), return_address,
               guest_.read_register(Register::rsp));
}

void Collector::work_queued(Vcpu& vcpu, uint64_t item, bool delayed) {
  // Work that owned work queues stays on the same account. What an interrupt queues is nobody's.
  uint32_t task = 0;
  const OwnerRow& owner = actors_.owner_row(vcpu.owner);
  if (owner.kind == Owner::work || owner.kind == Owner::rcu) {
    task = owner.task;
  } else if (vcpu.cause == Cause::process || vcpu.cause == Cause::softirq_bh) {
    task = tasks_.row_of(*vcpu.task);
  }
  work_.queued(item, task, delayed);
}

// In the task's own context, the task is the owner; threads that serve everybody's packets are asked for
// theirs.
bool Collector::wants_receive_owner(const Vcpu& vcpu) const {
  return vcpu.cause != Cause::process || vcpu.task->kernel_thread;
}

void Collector::receive_region(Vcpu& vcpu, Owner kind, const std::string& name) {
  if (name.empty()) return;
  const uint32_t owner = actors_.owner(kind, 0, name);
  if (owner == vcpu.owner) return;  // the receive functions call each other
  ++(kind == Owner::socket ? count_.socket_regions : count_.packet_regions);
  enter_region(vcpu, owner);
}

void Collector::enter_region(Vcpu& vcpu, uint32_t owner) {
  const uint64_t stack = guest_.read_register(Register::rsp);
  const auto return_address = guest_.read_u64(stack);
  if (return_address) enter_region(vcpu, owner, *return_address, stack + 8);
}

void Collector::enter_region(Vcpu& vcpu, uint32_t owner, uint64_t return_address, uint64_t stack_after) {
  auto& regions = vcpu.task->regions;
  const auto cause = static_cast<uint8_t>(vcpu.cause);
  // A region of this context whose stack is already gone was left some other way.
  while (!regions.empty() && regions.back().cause == cause &&
         regions.back().interrupt_depth == vcpu.interrupt_depth && regions.back().stack_after < stack_after) {
    regions.pop_back();
    ++count_.stale_regions;
  }
  regions.push_back({return_address, stack_after, owner, cause, vcpu.interrupt_depth});
  blocks_.watch_return(return_address);
  refresh(vcpu);
}

void Collector::return_reached(Vcpu& vcpu, uint64_t address) {
  auto& regions = vcpu.task->regions;
  if (regions.back().return_address != address) return;
  // At the start of a block all registers are in memory, so this needs no register access of the callback's
  // kind.
  const uint64_t stack = guest_.read_register(Register::rsp);
  bool left = false;
  while (!regions.empty() && regions.back().return_address == address &&
         regions.back().stack_after == stack) {
    regions.pop_back();
    ++count_.returns;
    left = true;
  }
  if (left) refresh(vcpu);
}

}  // namespace hap_plugin
