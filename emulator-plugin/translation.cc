// SPDX-License-Identifier: GPL-2.0-or-later
#include "translation.h"

#include "instruction.h"
#include "running_processor.h"

namespace hap_plugin {
namespace {

// QEMU's callbacks carry one pointer, which the block or hook needs; so these are the translator's for the
// process.
Collector* active;
const ActorBit* actor_bits;
BlockTests* tests;

bool look_expected;  // a block runs that must be looked at; only where tests are checked

bool has_run(const ActorBit& actor, const uint64_t* mask) {
  return (mask[actor.word_at] & actor.bit) != 0;
}
void look_at_block(unsigned processor, const uint64_t* mask) {
  look_expected = false;
  if (!has_run(actor_bits[processor], mask)) active->note_block(processor, mask);
}
// Before every executed block or, where there are tests, when one asks for it.
// No callback trusts the number that QEMU gives it: see running_processor.h.
void on_block(unsigned, void* argument) {
  look_at_block(running_processor(), BlockTests::mask_of(argument));
}
// Until the block has its test, and if it can have none.
void on_block_without_test(unsigned, void* argument) {
  tests->write(__builtin_return_address(0), argument);
  active->block_tests = tests->written();
  active->block_calls = tests->left_as_calls();
  look_at_block(0, BlockTests::mask_of(argument));
}
// Where tests are checked, right before each.
void on_test(unsigned, void* argument) {
  if (look_expected) ++active->block_tests_wrong;
  ++active->block_tests_checked;
  look_expected = !has_run(actor_bits[0], BlockTests::mask_of(argument));
}
void on_hook(unsigned, void* hook) {
  active->hook_runs(running_processor(), *static_cast<const Hook*>(hook));
}
void on_switch(unsigned, void*) {
  active->switch_runs(running_processor());
}
void on_iretq(unsigned, void*) {
  active->interrupt_returns(running_processor());
}
void on_hypervisor_iretq(unsigned, void*) {
  active->hypervisor_interrupt_returns(running_processor());
}
void on_mark(unsigned, void*) {
  active->mark_runs(running_processor());
}
void on_vmrun(unsigned, void* exit_address) {
  active->guest_entered(running_processor(), reinterpret_cast<uint64_t>(exit_address));
}
void on_rcu_call(unsigned, void* return_address) {
  active->rcu_call_runs(running_processor(), reinterpret_cast<uint64_t>(return_address));
}
void on_preempt_store(unsigned, qemu_plugin_meminfo_t access, uint64_t, void*) {
  active->preempt_count_stored(running_processor(), qemu_plugin_mem_get_value(access).data.u32);
}

// FNV-1a over the run's bytes: tells apart what a patched address held.
uint64_t add_to_hash(uint64_t hash, const uint8_t* bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}
constexpr uint64_t hash_start = 0xcbf29ce484222325u;

}  // namespace

Translator::Translator(const HookTable& hooks, UseOfTests use_of_tests)
    : use_of_tests_(several_processors() ? UseOfTests::off : use_of_tests),
      code_(use_of_tests_ == UseOfTests::off ? AddressRange{} : generated_code()),
      bits_(shared_memory(sizeof(ActorBit) * most_vcpus)),
      masks_(shared_memory(mask_bytes)),
      tests_(code_, &bits()->in_first_half, on_block_without_test, on_block),
      collector_(hooks, std::move(masks_), bits()) {
  active = &collector_;
  actor_bits = bits();
  tests = &tests_;
}

Memory Translator::shared_memory(size_t size) {
  Memory memory = Memory::within_reach(code_, size, false);
  if (memory) return memory;
  code_ = {};  // no tests then
  return Memory::anywhere(size);
}

void Translator::flushed() {
  tests_.flushed();
}

void Translator::read(qemu_plugin_tb* tb) {
  const size_t count = qemu_plugin_tb_n_insns(tb);
  instructions_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    Instruction& instruction = instructions_[i];
    instruction.handle = qemu_plugin_tb_get_insn(tb, i);
    instruction.size = qemu_plugin_insn_size(instruction.handle);
    instruction.address = qemu_plugin_insn_vaddr(instruction.handle);
    const size_t size =
        qemu_plugin_insn_data(instruction.handle, instruction.bytes, sizeof(instruction.bytes));
    if (size < instruction.size) instruction.size = size;
  }
}

void Translator::translate(qemu_plugin_tb* tb) {
  ++collector_.translations;
  read(tb);
  if (instructions_.empty()) return;
  if (several_processors()) {
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_processor, QEMU_PLUGIN_CB_NO_REGS, nullptr);
  }
  const uint64_t start = instructions_.front().address;
  const bool user = (start >> 63) == 0;
  const bool guest = collector_.translating_guest(start);

  // Hooks come before the block itself: its code already belongs to the context that it enters. The switch
  // comes after: the code up to it still belongs to the task that leaves.
  const Hook* hook = user || guest ? nullptr : collector_.hooks().at_entry(start);
  const bool is_switch = hook != nullptr && hook->kind == HookKind::switch_to;
  const bool is_domain_switch = hook != nullptr && hook->kind == HookKind::xen_switch;
  if (hook != nullptr && !is_switch && !is_domain_switch) {
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_hook, QEMU_PLUGIN_CB_R_REGS, const_cast<Hook*>(hook));
  }
  size_t run_start = 0;
  for (size_t i = 0; i < instructions_.size(); ++i) {
    const bool last = i + 1 == instructions_.size();
    const bool cut = !guest && plant(instructions_[i], user, last);
    if (cut || last) {
      plant_run(tb, run_start, i, guest, user);
      run_start = i + 1;
    }
  }
  if (is_switch) qemu_plugin_register_vcpu_tb_exec_cb(tb, on_switch, QEMU_PLUGIN_CB_R_REGS, nullptr);
  if (is_domain_switch) {
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_hook, QEMU_PLUGIN_CB_R_REGS, const_cast<Hook*>(hook));
  }
}

bool Translator::plant(const Instruction& instruction, bool user, bool last) {
  const InstructionBytes bytes{instruction.bytes, instruction.size, instruction.address};
  const uint64_t next = instruction.address + instruction.size;
  if (user) {
    if (!is_mark(bytes)) return false;
    qemu_plugin_register_vcpu_insn_exec_cb(instruction.handle, on_mark, QEMU_PLUGIN_CB_R_REGS, nullptr);
    return true;
  }
  const HookTable& hooks = collector_.hooks();
  if (collector_.in_hypervisor(instruction.address)) {
    if (is_iretq(bytes)) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction.handle, on_hypervisor_iretq, QEMU_PLUGIN_CB_R_REGS,
                                             nullptr);
      return true;
    }
    return collector_.may_fault(instruction.address);
  }
  if (is_iretq(bytes) && instruction.address - hooks.value("entry_text_begin") <
                             hooks.value("entry_text_end") - hooks.value("entry_text_begin")) {
    // Elsewhere iretq only serialises the processor and returns to the next instruction.
    qemu_plugin_register_vcpu_insn_exec_cb(instruction.handle, on_iretq, QEMU_PLUGIN_CB_R_REGS, nullptr);
    return true;
  }
  if (is_vmrun(bytes)) {
    qemu_plugin_register_vcpu_insn_exec_cb(instruction.handle, on_vmrun, QEMU_PLUGIN_CB_R_REGS,
                                           reinterpret_cast<void*>(next));
    return true;
  }
  if (last && hooks.in_rcu_batch(instruction.address) && is_call(bytes)) {
    qemu_plugin_register_vcpu_insn_exec_cb(instruction.handle, on_rcu_call, QEMU_PLUGIN_CB_R_REGS,
                                           reinterpret_cast<void*>(next));
  }
  if (may_change_per_cpu_bits(bytes, collector_.preempt_count_variable(), collector_.context_mask())) {
    qemu_plugin_register_vcpu_mem_cb(instruction.handle, on_preempt_store, QEMU_PLUGIN_CB_NO_REGS,
                                     QEMU_PLUGIN_MEM_W, nullptr);
    return true;
  }
  return collector_.may_fault(instruction.address);
}

void Translator::plant_run(qemu_plugin_tb* tb, size_t first, size_t last, bool guest, bool user) {
  uint64_t hash = hash_start;
  for (size_t i = first; i <= last; ++i)
    hash = add_to_hash(hash, instructions_[i].bytes, instructions_[i].size);
  const uint64_t address = instructions_[first].address;
  const auto size = static_cast<uint32_t>(instructions_[last].address + instructions_[last].size - address);
  Block* block = guest  ? collector_.guest_block(address, size, hash)
                 : user ? collector_.user_block(address, size, hash)
                        : collector_.kernel_block(address, size, hash);
  if (block == nullptr) return;
  const auto plant_call = [&](qemu_plugin_vcpu_udata_cb_t callback) {
    void* const argument = BlockTests::argument_of(block->mask);
    if (first == 0) {
      qemu_plugin_register_vcpu_tb_exec_cb(tb, callback, QEMU_PLUGIN_CB_NO_REGS, argument);
    } else {
      qemu_plugin_register_vcpu_insn_exec_cb(instructions_[first].handle, callback, QEMU_PLUGIN_CB_NO_REGS,
                                             argument);
    }
  };
  if (use_of_tests_ == UseOfTests::checked) plant_call(on_test);
  plant_call(tests_.callback());
}

}  // namespace hap_plugin
