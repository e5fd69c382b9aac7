// What a loaded seccomp filter lets through, system call by system call.
//
// The filter is the classic BPF program itself, as the kernel would run it (seccomp(2)), not the profile that
// it was compiled from. Arguments of a system call are the attacker's choice, so they are unknown to the
// evaluation: where the program branches on them, both ways are followed. A system call is
//   allowed      when every path returns an action that executes it,
//   conditional  when some paths do and some do not (the profile restricts its arguments),
//   denied       when no path does.
// Executing actions are SECCOMP_RET_ALLOW, _LOG, _TRACE and _USER_NOTIF: the last two leave the decision to
// another process, so the attacker may reach the kernel and the honest answer is "conditional".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hap/result.h"

namespace hap::measure {

// One instruction, as struct sock_filter.
struct FilterInstruction {
  uint16_t code = 0;
  uint8_t jump_true = 0;
  uint8_t jump_false = 0;
  uint32_t k = 0;
};
using FilterProgram = std::vector<FilterInstruction>;

enum class Permission { denied, conditional, allowed };

// Programs are 8-byte instructions, little-endian, as PTRACE_SECCOMP_GET_FILTER returns them. Errors
// (corrupt): a length that is not a multiple of 8, or more than 4,096 instructions, or none.
Result<FilterProgram> parse_filter(std::span<const std::byte> bytes);

// Evaluates one program for one system call number of one architecture (AUDIT_ARCH_...). Errors (corrupt): a
// jump or load outside, an instruction that the kernel would refuse, more paths than 2^20.
Result<Permission> evaluate(const FilterProgram& program, uint32_t number, uint32_t architecture);

// All filters of a task apply; the kernel takes the strictest answer.
Result<Permission> evaluate_all(const std::vector<FilterProgram>& programs, uint32_t number,
                                uint32_t architecture);

}  // namespace hap::measure
