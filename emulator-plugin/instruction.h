// SPDX-License-Identifier: GPL-2.0-or-later
//
// Recognises the few x86-64 instructions that matter to the collector, from their bytes alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hap_plugin {

struct InstructionBytes {
  const uint8_t* bytes;
  size_t size;
  uint64_t address;
};

// True when the instruction stores to the per-CPU 32-bit variable at `variable` (the preempt count) in a way
// that may change a bit of `mask`. Enabling and disabling preemption (+-1) and bottom halves (+-0x200) store
// to it thousands of times a second without ever touching the context bits, and are told apart by their
// operands.
bool may_change_per_cpu_bits(const InstructionBytes& instruction, uint64_t variable, uint32_t mask);

// iretq: return from an interrupt or exception.
bool is_iretq(const InstructionBytes& instruction);

// vmrun: entry into a nested guest.
bool is_vmrun(const InstructionBytes& instruction);

// The agent's in-band mark: nopl 0x48415031(%rax).
bool is_mark(const InstructionBytes& instruction);

// A near call, through a register, through memory, or direct (retpoline thunks are called directly).
bool is_call(const InstructionBytes& instruction);

}  // namespace hap_plugin
