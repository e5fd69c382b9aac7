// SPDX-License-Identifier: GPL-2.0-or-later
//
// The collector's side that faces the stream: marks, windows, what is written when.
#include <algorithm>
#include <cstring>

#include "collector.h"
#include "running_processor.h"

namespace hap_plugin {

using hap::stream::Chunk;
using hap::stream::Mark;

void Collector::mark_runs(unsigned index) {
  Vcpu& vcpu = vcpus_[index];
  const uint64_t kind = guest_.read_register(Register::rdi);
  const uint64_t argument = guest_.read_register(Register::rsi);
  const uint64_t argument2 = guest_.read_register(Register::rdx);
  stream_.begin(Chunk::mark);
  stream_.u64(kind);
  stream_.u64(argument);
  stream_.u64(argument2);
  stream_.end();
  switch (static_cast<Mark>(kind)) {
    case Mark::begin:
      begin_recording(vcpu);
      break;
    case Mark::end:
      ++count_.ends;
      close_window();
      recording_ = false;
      finish();
      break;
    case Mark::phase_begin:
      close_window();
      if (recording_ && argument >= 1 && argument <= 3) open_window(static_cast<uint8_t>(argument));
      break;
    case Mark::phase_end:
      close_window();
      write_syscalls();
      phase_ = 0;
      break;
    case Mark::window:
      if (window_ == 0) break;
      // Windows divide a phase; the first mark only names the one that began with the phase.
      if (window_numbered_) {
        const uint8_t phase = phase_;
        close_window();
        open_window(phase);
      }
      window_number_ = argument;
      window_numbered_ = true;
      break;
    case Mark::user:
      break;
  }
  stream_.flush();
}

void Collector::begin_recording(Vcpu& vcpu) {
  ++count_.begins;
  recording_ = true;
  // The mark is in user mode, so nothing is in progress here, and the kernel's own record says who this is.
  if (const uint64_t current = mappings_.current_task_in_user_mode(); current != 0) {
    set_task(vcpu, tasks_.look(current));
    vcpu.preempt_count &= ~masks_.all();
    refresh(vcpu);
  }
  load_fault_addresses();
}

void Collector::open_window(uint8_t phase) {
  phase_ = phase;
  window_ = ++windows_;
  window_number_ = 0;
  window_numbered_ = false;
  new_blocks_ = 0;
  blocks_.new_window(std::min(actors_.slots_used() / 64 + 1, mask_words));
  packets_.new_window();
  stream_.begin(Chunk::window_begin);
  stream_.u32(window_);
  stream_.u8(phase);
  stream_.end();
  refresh_all();
}

void Collector::close_window() {
  if (window_ == 0) return;
  write_hits();
  stream_.begin(Chunk::window_end);
  stream_.u32(window_);
  stream_.u64(window_number_);
  stream_.u32(new_blocks_);
  stream_.end();
  window_ = 0;
  refresh_all();
}

void Collector::write_hits() {
  if (hits_.empty()) return;
  stream_.begin(Chunk::hits);
  stream_.u32(window_);
  stream_.u32(static_cast<uint32_t>(hits_.size() / 2));
  stream_.put(hits_.data(), hits_.size() * sizeof(hits_[0]));
  stream_.end();
  hits_.clear();
}

void Collector::write_syscalls() {
  if (syscalls_.empty()) return;
  stream_.begin(Chunk::syscalls);
  stream_.u32(static_cast<uint32_t>(syscalls_.size()));
  for (const auto& [key, count] : syscalls_) {
    stream_.u32(static_cast<uint32_t>(key >> 24));
    stream_.u8(static_cast<uint8_t>(key >> 16));
    stream_.u32(static_cast<uint32_t>(static_cast<int32_t>(static_cast<int16_t>(key))));
    stream_.u64(count);
  }
  stream_.end();
  syscalls_.clear();
}

void Collector::finish() {
  close_window();
  write_syscalls();
  write_counters();
  stream_.begin(Chunk::end);
  stream_.end();
  stream_.flush();
}

void Collector::write_counters() {
  counters_["switches"] = count_.switches;
  counters_["switch_mismatches"] = count_.switch_mismatches;
  counters_["unknown_processors"] = unknown_processors();
  counters_["interrupts"] = count_.interrupts;
  counters_["exceptions"] = count_.exceptions;
  counters_["preempt_stores"] = count_.preempt_stores;
  counters_["hits"] = count_.hits;
  counters_["syscalls"] = count_.syscalls;
  counters_["guest_entries"] = count_.guest_entries;
  counters_["work_runs"] = count_.work_runs;
  counters_["work_owned"] = count_.work_owned;
  counters_["rcu_owned"] = count_.rcu_owned;
  counters_["packet_regions"] = count_.packet_regions;
  counters_["socket_regions"] = count_.socket_regions;
  counters_["emulation_regions"] = count_.emulation_regions;
  counters_["region_returns"] = count_.returns;
  counters_["stale_regions"] = count_.stale_regions;
  counters_["frames_dropped"] = count_.frames_dropped;
  counters_["recordings_begun"] = count_.begins;
  counters_["recordings_ended"] = count_.ends;
  counters_["recording"] = recording_ ? 1 : 0;
  counters_["translations"] = translations;
  counters_["block_tests"] = block_tests;
  counters_["block_calls"] = block_calls;
  counters_["block_tests_checked"] = block_tests_checked;
  counters_["block_tests_wrong"] = block_tests_wrong;
  counters_["blocks_translated"] = blocks_.count();
  counters_["memory_reads_failed"] = guest_.failed_reads();
  counters_["mappings_unresolved"] = mappings_.unresolved();
  counters_["actors_beyond_mask"] = actors_.slots_beyond_mask();
  counters_["work_items_dropped"] = work_.overflows();
  counters_["blocks_dropped"] = blocks_.dropped();
  counters_["task_rows"] = tasks_.rows();
  counters_["fault_addresses"] = fault_addresses_.size();
  if (xen_.present()) {
    const XenDomains::Counts& xen = xen_.counts();
    counters_["xen_switches"] = xen.switches;
    counters_["xen_guest_switches"] = xen.guest_switches;
    counters_["xen_interrupts"] = xen_.context().interrupts();
    counters_["xen_stale_frames"] = xen_.context().stale_frames();
    counters_["xen_domains_unknown"] = xen.domains_unknown;
  }
  counters_["registers_bound"] = registers_bound_ ? 1 : 0;
  for (const auto& [name, value] : counters_) {
    stream_.begin(Chunk::counter);
    stream_.string(name);
    stream_.u64(value);
    stream_.end();
  }
}

// --- instructions that may fault
// -----------------------------------------------------------------------------------

bool Collector::may_fault(uint64_t address) {
  if (!fault_addresses_loaded_) load_fault_addresses();
  return std::binary_search(fault_addresses_.begin(), fault_addresses_.end(), address);
}

void Collector::load_fault_addresses() {
  const uint64_t begin = hooks_.value("ex_table_begin");
  const uint64_t end = hooks_.value("ex_table_end");
  fault_addresses_.clear();
  constexpr uint64_t entry_size = 12;  // struct exception_table_entry { int insn, fixup, data; }
  load_fault_table(begin, end, entry_size);
  constexpr uint64_t xen_entry_size = 8;  // struct exception_table_entry { s32 addr, cont; }
  load_fault_table(hooks_.value("xen_ex_table_begin"), hooks_.value("xen_ex_table_end"), xen_entry_size);
  // Modules bring tables of their own; they are loaded before recording begins.
  const uint64_t modules = hooks_.value("modules");
  const uint64_t list = hooks_.offset("module.list");
  constexpr int most_modules = 4096;
  uint64_t at = modules == 0 ? 0 : guest_.read_u64(modules).value_or(0);
  for (int i = 0; at != 0 && at != modules && i < most_modules; ++i) {
    const uint64_t module = at - list;
    const uint64_t table = guest_.read_u64(module + hooks_.offset("module.extable")).value_or(0);
    const uint64_t entries = guest_.read_u32(module + hooks_.offset("module.num_exentries")).value_or(0);
    if (table != 0 && entries < 1u << 20) load_fault_table(table, table + entries * entry_size, entry_size);
    at = guest_.read_u64(at).value_or(0);
  }
  std::sort(fault_addresses_.begin(), fault_addresses_.end());
  fault_addresses_loaded_ = !fault_addresses_.empty();
}

// The first member of an entry leads to the instruction, relative to its own address.
void Collector::load_fault_table(uint64_t begin, uint64_t end, uint64_t entry_size) {
  constexpr uint64_t batch = 256;
  while (begin + entry_size <= end) {
    const uint64_t count = std::min(batch, (end - begin) / entry_size);
    const uint8_t* bytes = guest_.read_bytes(begin, count * entry_size);
    if (bytes == nullptr) return;
    for (uint64_t i = 0; i < count; ++i) {
      int32_t relative;
      std::memcpy(&relative, bytes + i * entry_size, sizeof(relative));
      fault_addresses_.push_back(begin + i * entry_size + static_cast<int64_t>(relative));
    }
    begin += count * entry_size;
  }
}

}  // namespace hap_plugin
