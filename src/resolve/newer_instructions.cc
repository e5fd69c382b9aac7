#include "resolve/newer_instructions.h"

namespace hap::resolve {

namespace {

bool is_prefix(std::uint8_t byte) {
  return byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 || byte == 0x2e || byte == 0x3e ||
         (byte & 0xf0) == 0x40;  // REX
}

// Bytes of ModRM, SIB and displacement, in 64-bit addressing.
std::size_t operand_length(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return 0;
  const unsigned mode = bytes[0] >> 6;
  const unsigned base = bytes[0] & 7;
  if (mode == 3) return 1;
  std::size_t length = 1;
  unsigned sib_base = base;
  if (base == 4) {
    if (bytes.size() < 2) return 0;
    sib_base = bytes[1] & 7;
    ++length;
  }
  if (mode == 1) return length + 1;
  if (mode == 2 || sib_base == 5) return length + 4;  // without base: rip or absolute
  return length;
}

}  // namespace

std::size_t newer_instruction_length(std::span<const std::uint8_t> bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && at < 5 && is_prefix(bytes[at])) ++at;
  if (at + 2 >= bytes.size() || bytes[at] != 0x0f) return 0;
  const std::uint8_t opcode = bytes[at + 1];
  at += 2;
  if (opcode == 0x38) {
    ++at;
  } else if (opcode == 0x01) {
    if (bytes[at] < 0xc0) return 0;  // the memory forms are as old as the 80286
  } else if (opcode != 0xae) {
    return 0;
  }
  if (at >= bytes.size()) return 0;
  const std::size_t operands = operand_length(bytes.subspan(at));
  if (operands == 0 || at + operands > bytes.size()) return 0;
  return at + operands;
}

}  // namespace hap::resolve
