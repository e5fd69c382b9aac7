// SPDX-License-Identifier: GPL-2.0-or-later
//
// The test before each block: has the actor of now run it in this window already? Mostly it has, and nothing
// is to be done; but QEMU's interface has calls only, and tests of a variable against a constant, which
// cannot say that. So the first time that the call before a block is made, it is replaced by the test itself,
// in the generated code:
//
//     mov  rsi, argument                    mov  eax, [the actor's bit]
//     xor  edi, edi              becomes    test [the block's mask], eax
//     call [address of the call]            jz   stub
//
// which has as many bytes and is free to use rax, as the call was. The stub makes the call and returns behind
// the test. Only a call that has exactly these bytes, as QEMU's back end for x86-64 makes them of a call
// whose argument and function are both out of the reach of 32 bits, is replaced; whatever else a QEMU makes
// stays a call, which costs time only. How many were replaced is in the stream's counters.
//
// Nothing else runs meanwhile: all virtual processors share one thread (`-accel tcg,thread=single`). When
// QEMU throws all generated code away, the stubs go as well.
#pragma once

#include <cstddef>
#include <cstdint>

#include "generated_code.h"
#include "qemu_plugin_api.h"

namespace hap_plugin {

class BlockTests {
 public:
  using Callback = void (*)(unsigned, void* argument);

  // `bit`: the word with the current actor's bit, 0: never stands for having run. `code` and `bit` are to be
  // within reach of each other, as all masks are to be. `first` is called until the test stands, `later` by
  // the test; both with argument_of(mask).
  BlockTests(const AddressRange& code, const uint32_t* bit, Callback first, Callback later);

  // What to register. Without the means for tests: `later`.
  Callback callback() const;
  // Out of the reach of any code, so that the instruction that loads it has its longest form.
  static void* argument_of(uint64_t* mask) {
    return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(mask) ^ out_of_reach);
  }
  static uint64_t* mask_of(void* argument) {
    return reinterpret_cast<uint64_t*>(reinterpret_cast<uintptr_t>(argument) ^ out_of_reach);
  }

  // The call that returns to `behind` is replaced, if it is one of these.
  void write(void* behind, void* argument);

  // Generated code is gone.
  void flushed() { stubs_used_ = 0; }

  uint64_t written() const { return written_; }
  uint64_t left_as_calls() const { return left_as_calls_; }

 private:
  static constexpr uintptr_t out_of_reach = uintptr_t{1} << 63;

  std::byte* write_stub(void* argument, const std::byte* behind);

  AddressRange code_;
  const uint32_t* bit_;
  Callback later_;
  Memory far_call_;  // jumps to `first`; far away from the code
  Memory stubs_;
  size_t stubs_used_ = 0;
  uint64_t written_ = 0;
  uint64_t left_as_calls_ = 0;
};

}  // namespace hap_plugin
