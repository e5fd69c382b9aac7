// SPDX-License-Identifier: GPL-2.0-or-later
//
// The hooks file: what the host side learnt about the measured kernel from its symbols and type information.
//
//   hapmeter-hooks 1
//   value NAME NUMBER            addresses of variables, per-CPU offsets, masks
//   offset TYPE.MEMBER NUMBER    bytes, members of members joined by dots
//   hook KIND BEGIN END          a kernel function (BEGIN is its entry)
//
// Numbers are decimal or 0x hexadecimal. Lines that start with # are comments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hap_plugin {

enum class HookKind {
  switch_to,            // rdi previous task, rsi next task
  interrupt,            // entry of an interrupt (each 16 bytes of a stub table count as one)
  exception,            // entry of an exception
  task_again,           // on the way out of an interrupt the kernel works for the task again
  syscall,              // rsi: number
  queue_work,           // rdx: work
  queue_delayed_work,   // rdx: work
  process_work,         // rsi: work
  call_rcu,             // rdi: head
  rcu_batch,            // its indirect calls pass the head in rdi
  receive_skb,          // rdi: skb
  receive_skb_at,       // rdi: address of the skb pointer
  receive_list,         // rdx: net_device of all packets of the list
  napi_poll,            // rdi: napi_struct
  socket_receive,       // rdi: sock
  emulate_instruction,  // rdx: emulation type
  fetch_instruction,    // of a guest, through its page tables
  exec_done,            // the current task has become another program
  interrupt_return,     // a paravirtualized kernel's iretq
  xen_switch,           // rsi: next vcpu
  xen_restart,          // Xen goes on for the vcpu that it has chosen, on an empty stack
  xen_call,             // entry of a hypercall or system call
  xen_interrupt,        // entry of an interrupt
  xen_nmi,              //
  xen_exception,        //
  xen_softirq,          // a function: Xen serves its soft interrupts
  xen_schedule,         // a function: Xen chooses the next vcpu
};

struct Hook {
  HookKind kind;
  uint64_t begin;
  uint64_t end;
};

class HookTable {
 public:
  // On failure returns false and says why in `error`.
  bool load(const std::string& path, std::string& error);

  const Hook* at_entry(uint64_t address) const;
  // The rcu_batch function that contains `address`.
  bool in_rcu_batch(uint64_t address) const { return address - rcu_begin_ < rcu_size_; }

  // 0 when the kernel has no such variable or member; `require` tells before anything runs.
  uint64_t value(const char* name) const;
  uint64_t offset(const char* name) const;
  bool require(std::string& error) const;

 private:
  bool parse_line(std::string_view line, std::string& error);
  bool add_hook(std::string_view kind, uint64_t begin, uint64_t end);

  std::unordered_map<std::string, uint64_t> values_;
  std::unordered_map<std::string, uint64_t> offsets_;
  std::unordered_map<uint64_t, Hook> hooks_;
  struct StubTable {
    Hook hook;
    uint64_t alignment;
  };
  std::vector<StubTable> stub_tables_;
  uint64_t rcu_begin_ = 0;
  uint64_t rcu_size_ = 0;
  bool has_switch_ = false;
};

}  // namespace hap_plugin
