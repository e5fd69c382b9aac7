// SPDX-License-Identifier: GPL-2.0-or-later
//
// Ties the parts together: what happens when the kernel switches tasks, enters an interrupt, queues work, and
// when a block runs. translation.cc decides which of these the emulator calls for which code.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors.h"
#include "blocks.h"
#include "deferred_work.h"
#include "guest_access.h"
#include "hook_table.h"
#include "packet_owners.h"
#include "stream_writer.h"
#include "tasks.h"
#include "user_mappings.h"
#include "vcpu.h"
#include "xen_domains.h"

namespace hap_plugin {

// The current actor's bit in the masks of blocks; a block whose mask has it needs no note.
struct ActorBit {
  uint64_t bit = 0;
  size_t word_at = 0;
  uint32_t in_first_half = 0;  // the bit, where it is in the first half of the first word
};
inline constexpr unsigned most_vcpus = 64;

class Collector {
 public:
  // `masks`: see Blocks. `actor_bits`: one per virtual processor, kept up to date for the path of every
  // block.
  Collector(const HookTable& hooks, Memory masks, ActorBit* actor_bits);

  bool open(const std::string& path) { return stream_.open(path); }
  void add_vcpu(unsigned index);

  // A block runs that was not yet noted for this actor in this window, or that always wants to be looked at.
  void note_block(unsigned index, const uint64_t* mask) { note_block(vcpus_[index], blocks_.of_mask(mask)); }

  // Events, in the order of the kernel's doing. Registers may be read in them.
  void hook_runs(unsigned index, const Hook& hook);
  void switch_runs(unsigned index);
  void preempt_count_stored(unsigned index, uint32_t value);
  void interrupt_returns(unsigned index);
  void hypervisor_interrupt_returns(unsigned index);
  void guest_entered(unsigned index, uint64_t exit_address);
  void rcu_call_runs(unsigned index, uint64_t return_address);
  void mark_runs(unsigned index);

  // For the translator.
  const HookTable& hooks() const { return hooks_; }
  Block* user_block(uint64_t address, uint32_t size, uint64_t hash);
  Block* kernel_block(uint64_t address, uint32_t size, uint64_t hash);
  Block* guest_block(uint64_t address, uint32_t size, uint64_t hash);
  bool translating_guest(uint64_t address);
  bool in_hypervisor(uint64_t address) const { return xen_.owns(address); }
  bool may_fault(uint64_t address);
  uint64_t preempt_count_variable() const { return preempt_count_variable_; }
  uint32_t context_mask() const { return masks_.all(); }
  uint64_t translations = 0;
  uint64_t block_tests = 0;  // calls before blocks that became tests
  uint64_t block_calls = 0;  // and calls made that could not, where there are tests
  uint64_t block_tests_checked = 0;
  uint64_t block_tests_wrong = 0;

  // Everything that is still to be written. Called when recording ends and when QEMU exits.
  void finish();

 private:
  void note_block(Vcpu& vcpu, Block& block);
  void record(Vcpu& vcpu, Block& block);
  void define(Block& block);
  void leave_guest(Vcpu& vcpu);
  void refresh(Vcpu& vcpu);
  Actor& find_actor(Vcpu& vcpu, TaskState& task);
  // True when the hook was one of the hypervisor's.
  bool hypervisor_hook_runs(Vcpu& vcpu, const Hook& hook);
  void refresh_all();
  void set_task(Vcpu& vcpu, TaskState* task);
  void enter_region(Vcpu& vcpu, uint32_t owner);
  void enter_region(Vcpu& vcpu, uint32_t owner, uint64_t return_address, uint64_t stack_after);
  void return_reached(Vcpu& vcpu, uint64_t address);
  void work_queued(Vcpu& vcpu, uint64_t item, bool delayed);
  void receive_region(Vcpu& vcpu, hap::stream::Owner kind, const std::string& name);
  bool wants_receive_owner(const Vcpu& vcpu) const;
  void begin_recording(Vcpu& vcpu);
  void open_window(uint8_t phase);
  void close_window();
  void write_hits();
  void write_syscalls();
  void write_counters();
  void load_fault_addresses();
  void load_fault_table(uint64_t begin, uint64_t end, uint64_t entry_size);

  const HookTable& hooks_;
  GuestAccess guest_;
  StreamWriter stream_;
  Images images_;
  Blocks blocks_;
  Tasks tasks_;
  UserMappings mappings_;
  Actors actors_;
  DeferredWork work_;
  PacketOwners packets_;
  XenDomains xen_;
  ContextMasks masks_;
  uint64_t preempt_count_variable_;
  uint32_t kernel_image_;
  uint32_t guest_kernel_image_;
  uint32_t guest_user_image_;
  uint32_t hypervisor_image_;
  uint32_t unresolved_image_;

  std::vector<Vcpu> vcpus_;
  ActorBit* actor_bits_;
  Vcpu* last_active_ = nullptr;
  bool registers_bound_ = false;

  bool recording_ = false;
  uint8_t phase_ = 0;
  uint32_t window_ = 0;         // id of the open window, 0: none
  uint64_t window_number_ = 0;  // as the agent numbers it
  bool window_numbered_ = false;
  uint32_t windows_ = 0;
  uint32_t new_blocks_ = 0;
  std::vector<uint32_t> hits_;  // pairs of actor and block

  std::unordered_map<uint64_t, uint64_t> syscalls_;  // task, phase, number -> count
  std::vector<uint64_t> fault_addresses_;            // sorted; of the kernel
  bool fault_addresses_loaded_ = false;
  std::unordered_set<uint64_t> guest_exit_addresses_;
  std::map<std::string, uint64_t> counters_;
  struct {
    uint64_t switches = 0, switch_mismatches = 0, interrupts = 0, exceptions = 0, preempt_stores = 0;
    uint64_t hits = 0, syscalls = 0, guest_entries = 0, work_runs = 0, work_owned = 0, rcu_owned = 0;
    uint64_t packet_regions = 0, socket_regions = 0, emulation_regions = 0, returns = 0, stale_regions = 0;
    uint64_t frames_dropped = 0, begins = 0, ends = 0;
  } count_;
};

}  // namespace hap_plugin
