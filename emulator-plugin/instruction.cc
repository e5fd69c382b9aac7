// SPDX-License-Identifier: GPL-2.0-or-later
#include "instruction.h"

#include <cstring>
#include <optional>

namespace hap_plugin {
namespace {

int32_t signed32(const uint8_t* bytes) {
  int32_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

// What the general decoder needs to know of an instruction with a %gs prefix and a fixed memory operand.
struct GsAccess {
  const uint8_t* opcode;  // first opcode byte
  size_t opcode_size;     // 1, or 2 for 0f xx
  uint8_t extension;      // the reg field of ModRM
  uint64_t target;        // the operand's offset from the gs base
  const uint8_t* immediate;
  size_t immediate_size;
};

std::optional<GsAccess> decode_gs_access(const InstructionBytes& instruction) {
  const uint8_t* at = instruction.bytes;
  const uint8_t* end = instruction.bytes + instruction.size;
  bool gs = false;
  for (; at < end; ++at) {
    if (*at == 0x65) {
      gs = true;
    } else if (*at != 0x66 && *at != 0xf0 && *at != 0xf2 && *at != 0xf3 && *at != 0x2e && *at != 0x3e) {
      break;
    }
  }
  if (!gs) return std::nullopt;
  if (at < end && (*at & 0xf0) == 0x40) ++at;  // REX

  GsAccess access{};
  access.opcode = at;
  access.opcode_size = (at < end && *at == 0x0f) ? 2 : 1;
  at += access.opcode_size;
  if (at >= end) return std::nullopt;
  const uint8_t modrm = *at++;
  access.extension = (modrm >> 3) & 7;
  if ((modrm & 0xc7) == 0x05) {  // disp32(%rip)
    if (end - at < 4) return std::nullopt;
    access.target = instruction.address + instruction.size + static_cast<int64_t>(signed32(at));
    at += 4;
  } else if ((modrm & 0xc7) == 0x04 && end - at >= 5 && at[0] == 0x25) {  // absolute disp32
    access.target = static_cast<uint64_t>(static_cast<int64_t>(signed32(at + 1)));
    at += 5;
  } else {
    return std::nullopt;
  }
  access.immediate = at;
  access.immediate_size = static_cast<size_t>(end - at);
  return access;
}

// Adding `value` (or subtracting it) leaves the bits of `mask` alone as long as no carry reaches them. The
// kernel keeps the counters below each field from overflowing, so a carry only comes from `value` itself.
bool sum_touches(int32_t value, uint32_t mask) {
  const uint32_t magnitude = value < 0 ? 0u - static_cast<uint32_t>(value) : static_cast<uint32_t>(value);
  return (magnitude & mask) != 0;
}

}  // namespace

bool may_change_per_cpu_bits(const InstructionBytes& instruction, uint64_t variable, uint32_t mask) {
  const auto access = decode_gs_access(instruction);
  if (!access || access->target != variable) return false;
  const uint8_t opcode = access->opcode[0];

  if (access->opcode_size == 2) {
    switch (access->opcode[1]) {
      case 0xb0:
      case 0xb1:  // cmpxchg
      case 0xc0:
      case 0xc1:  // xadd
        return true;
      default:
        return false;
    }
  }
  switch (opcode) {
    case 0xfe:
    case 0xff:
      return false;  // inc, dec: +-1; push, call and jmp do not store here
    case 0x80:
    case 0x81:
    case 0x83: {
      int32_t value = 0;
      if (access->immediate_size == 1) {
        value = static_cast<int8_t>(access->immediate[0]);
      } else if (access->immediate_size == 4) {
        value = signed32(access->immediate);
      } else {
        return true;  // 16-bit forms: not expected, so look at the value stored
      }
      switch (access->extension) {
        case 7:
          return false;  // cmp
        case 0:
        case 5:
          return sum_touches(value, mask);  // add, sub
        case 4:
          return (~static_cast<uint32_t>(value) & mask) != 0;  // and
        case 1:
        case 6:
          return (static_cast<uint32_t>(value) & mask) != 0;  // or, xor
        default:
          return true;  // adc, sbb
      }
    }
    // Register to memory: add, or, adc, sbb, and, sub, xor, mov, xchg; and mov of an immediate.
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x19:
    case 0x21:
    case 0x29:
    case 0x31:
    case 0x87:
    case 0x89:
    case 0xc7:
      return true;
    default:
      return false;
  }
}

bool is_iretq(const InstructionBytes& i) {
  return i.size == 2 && i.bytes[0] == 0x48 && i.bytes[1] == 0xcf;
}

bool is_vmrun(const InstructionBytes& i) {
  return i.size == 3 && i.bytes[0] == 0x0f && i.bytes[1] == 0x01 && i.bytes[2] == 0xd8;
}

bool is_mark(const InstructionBytes& i) {
  static constexpr uint8_t mark[] = {0x0f, 0x1f, 0x80, 0x31, 0x50, 0x41, 0x48};
  return i.size == sizeof(mark) && std::memcmp(i.bytes, mark, sizeof(mark)) == 0;
}

bool is_call(const InstructionBytes& i) {
  const uint8_t* at = i.bytes;
  const uint8_t* end = at + i.size;
  while (at < end && (*at == 0x2e || *at == 0x3e || *at == 0x66 || (*at & 0xf0) == 0x40)) ++at;
  if (at >= end) return false;
  if (*at == 0xe8) return true;
  return *at == 0xff && end - at >= 2 && ((at[1] >> 3) & 7) == 2;
}

}  // namespace hap_plugin
