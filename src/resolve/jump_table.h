// Finds the table behind an indirect jump of a compiled switch statement.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <capstone/capstone.h>

#include "resolve/code_bytes.h"

namespace hap::resolve {

struct JumpTable {
  std::uint64_t address = 0;
  bool relative = false;               // entries are 32-bit distances from `address`, else 64-bit addresses
  std::optional<std::uint64_t> count;  // from the comparison that guards the jump
};

// `instructions` are those before and including the jump, in order, decoded with details.
std::optional<JumpTable> find_jump_table(const cs_insn* instructions, std::size_t count, bool relocatable);

}  // namespace hap::resolve
