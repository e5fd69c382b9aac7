// Lengths of instructions that are younger than the disassembler: Capstone 4 (Debian 12) does not know
// protection keys, serialize, shadow stacks, SEV-SNP or TDX, which the kernel uses in functions that run all
// the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hap::resolve {

// Length of the instruction at the start of `bytes` if it is of the two-byte opcode groups 0f 01 (register
// form), 0f ae or 0f 38, none of which branches; else 0.
std::size_t newer_instruction_length(std::span<const std::uint8_t> bytes);

}  // namespace hap::resolve
