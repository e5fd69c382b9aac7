// Marks that the plugin `instruction_count` writes down with the number of instructions executed so far.
#pragma once

#include <cstdint>

namespace hap::bench {

inline constexpr uint64_t kUserMark = 6;  // as src/agent/mark.h

inline void mark(uint64_t number) {
  __asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x31, 0x50, 0x41, 0x48"
                   :
                   : "D"(kUserMark), "S"(number), "d"(uint64_t{0})
                   : "memory");
}

}  // namespace hap::bench
