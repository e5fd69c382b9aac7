#include "resolve/jump_table.h"

namespace hap::resolve {

namespace {

constexpr std::size_t kGuardDistance = 24;  // instructions between the comparison and the jump

// Compilers use the 32-bit name of a register to clear the upper half; both are the same register here.
unsigned whole_register(unsigned reg) {
  switch (reg) {
    case X86_REG_EAX:
      return X86_REG_RAX;
    case X86_REG_EBX:
      return X86_REG_RBX;
    case X86_REG_ECX:
      return X86_REG_RCX;
    case X86_REG_EDX:
      return X86_REG_RDX;
    case X86_REG_ESI:
      return X86_REG_RSI;
    case X86_REG_EDI:
      return X86_REG_RDI;
    case X86_REG_EBP:
      return X86_REG_RBP;
    case X86_REG_R8D:
      return X86_REG_R8;
    case X86_REG_R9D:
      return X86_REG_R9;
    case X86_REG_R10D:
      return X86_REG_R10;
    case X86_REG_R11D:
      return X86_REG_R11;
    case X86_REG_R12D:
      return X86_REG_R12;
    case X86_REG_R13D:
      return X86_REG_R13;
    case X86_REG_R14D:
      return X86_REG_R14;
    case X86_REG_R15D:
      return X86_REG_R15;
    default:
      return reg;
  }
}

const cs_x86_op& operand(const cs_insn& instruction, int index) {
  return instruction.detail->x86.operands[index];
}
int operands(const cs_insn& instruction) {
  return instruction.detail->x86.op_count;
}

bool writes(const cs_insn& instruction, unsigned reg) {
  return operands(instruction) > 0 && operand(instruction, 0).type == X86_OP_REG &&
         whole_register(operand(instruction, 0).reg) == reg && instruction.id != X86_INS_CMP &&
         instruction.id != X86_INS_TEST;
}

// The constant that `reg` holds before instruction `at`: lea reg, [rip + x] or mov reg, x.
std::optional<std::uint64_t> constant_in(const cs_insn* code, std::size_t at, unsigned reg) {
  while (at-- > 0) {
    if (!writes(code[at], reg)) continue;
    if (operands(code[at]) != 2) return std::nullopt;
    const auto& source = operand(code[at], 1);
    if (code[at].id == X86_INS_LEA && source.mem.base == X86_REG_RIP && source.mem.index == X86_REG_INVALID) {
      return code[at].address + code[at].size + static_cast<std::uint64_t>(source.mem.disp);
    }
    if ((code[at].id == X86_INS_MOV || code[at].id == X86_INS_MOVABS) && source.type == X86_OP_IMM) {
      return static_cast<std::uint64_t>(source.imm);
    }
    return std::nullopt;
  }
  return std::nullopt;
}

// "cmp index, N" followed by a jump when above: N + 1 entries (when above or equal: N).
std::optional<std::uint64_t> guard(const cs_insn* code, std::size_t count) {
  const std::size_t first = count > kGuardDistance ? count - kGuardDistance : 0;
  for (std::size_t i = count - 1; i-- > first;) {
    if (code[i].id != X86_INS_CMP || operands(code[i]) != 2 || operand(code[i], 1).type != X86_OP_IMM)
      continue;
    const std::int64_t limit = operand(code[i], 1).imm;
    if (limit < 0) return std::nullopt;
    for (std::size_t j = i + 1; j < count; ++j) {
      if (code[j].id == X86_INS_JA || code[j].id == X86_INS_JBE) return static_cast<std::uint64_t>(limit) + 1;
      if (code[j].id == X86_INS_JAE || code[j].id == X86_INS_JB) return static_cast<std::uint64_t>(limit);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<JumpTable> find_jump_table(const cs_insn* code, std::size_t count, bool relocatable) {
  if (count == 0) return std::nullopt;
  const cs_insn& jump = code[count - 1];
  if (operands(jump) != 1) return std::nullopt;
  const auto absolute = [&](std::int64_t displacement) {
    // A relocated 32-bit field of an object file is not sign-extended: its addresses start at 0.
    const auto value = static_cast<std::uint64_t>(displacement);
    return relocatable ? value & 0xffffffff : value;
  };
  const auto with_scale = [](const cs_x86_op& op, int scale) {
    return op.type == X86_OP_MEM && op.mem.index != X86_REG_INVALID && op.mem.scale == scale;
  };
  JumpTable table;
  table.count = guard(code, count);
  const auto& target = operand(jump, 0);
  // jmp *table(,%index,8), or with the table's address in a register
  if (with_scale(target, 8)) {
    if (target.mem.base == X86_REG_INVALID) {
      table.address = absolute(target.mem.disp);
      return table;
    }
    const auto base = constant_in(code, count - 1, whole_register(target.mem.base));
    if (!base) return std::nullopt;
    table.address = *base + static_cast<std::uint64_t>(target.mem.disp);
    return table;
  }
  if (target.type != X86_OP_REG) return std::nullopt;
  // The load of the entry that ends up in the register: the nearest one with a scaled index.
  const std::size_t first = count > kGuardDistance ? count - kGuardDistance : 0;
  for (std::size_t i = count - 1; i-- > first;) {
    if (operands(code[i]) != 2) continue;
    const auto& source = operand(code[i], 1);
    if (code[i].id == X86_INS_MOV && with_scale(source, 8)) {
      if (source.mem.base == X86_REG_INVALID) {
        table.address = absolute(source.mem.disp);
        return table;
      }
      const auto base = constant_in(code, i, whole_register(source.mem.base));
      if (!base) return std::nullopt;
      table.address = *base + static_cast<std::uint64_t>(source.mem.disp);
      return table;
    }
    if (code[i].id == X86_INS_MOVSXD && with_scale(source, 4)) {
      const auto base = constant_in(code, i, whole_register(source.mem.base));
      if (!base) return std::nullopt;
      table.address = *base + static_cast<std::uint64_t>(source.mem.disp);
      table.relative = true;
      return table;
    }
  }
  return std::nullopt;
}

}  // namespace hap::resolve
