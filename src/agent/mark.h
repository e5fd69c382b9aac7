// Marks that the emulator collector sees in the instruction stream itself: exact to the instruction, without
// a device, a system call or a timer.
//
// The agent executes `nopl 0x48415031(%rax)`, a multi-byte NOP no compiler emits ("HAP1" backwards in
// memory), with rdi = what, rsi and rdx = arguments. On anything but the emulator with its plugin it does
// nothing.
#pragma once

#include <cstdint>

namespace hap::agent {

enum class Mark : uint64_t {
  begin_recording = 1,
  end_recording = 2,
  phase_begin = 3,  // rsi: phase (1 setup, 2 serve, 3 teardown)
  phase_end = 4,    // rsi: phase
  window = 5,       // rsi: number of the window that starts here
  user = 6,         // rsi, rdx: free
};

inline void mark(Mark what, uint64_t arg1 = 0, uint64_t arg2 = 0) {
  asm volatile(".byte 0x0f, 0x1f, 0x80, 0x31, 0x50, 0x41, 0x48"
               :
               : "D"(static_cast<uint64_t>(what)), "S"(arg1), "d"(arg2)
               : "memory");
}

}  // namespace hap::agent
