// SPDX-License-Identifier: GPL-2.0-or-later
//
// What happens when the emulator translates a block: it is cut into runs that execute as a whole, and the
// callbacks that its instructions call for are planted.
#pragma once

#include <cstdint>

#include "block_tests.h"
#include "collector.h"
#include "generated_code.h"

namespace hap_plugin {

// Of the tests before blocks (block_tests.h), where they are possible. `checked`: and each is held against
// what it should have said, by a call.
enum class UseOfTests { off, on, checked };

// One object per process: QEMU's callbacks find it by a variable, and it lives as long as QEMU, since the
// blocks that callbacks are given must outlive every translation.
class Translator {
 public:
  Translator(const HookTable& hooks, UseOfTests use_of_tests);

  Collector& collector() { return collector_; }

  void translate(qemu_plugin_tb* tb);
  // All translations are gone.
  void flushed();

 private:
  struct Instruction {
    uint8_t bytes[16];
    size_t size;
    uint64_t address;
    qemu_plugin_insn* handle;
  };

  // Within reach of the generated code, as the tests before blocks need it.
  Memory shared_memory(size_t size);
  ActorBit* bits() { return reinterpret_cast<ActorBit*>(bits_.data()); }

  void read(qemu_plugin_tb* tb);
  // Plants what this instruction needs; true when a new run must start behind it.
  bool plant(const Instruction& instruction, bool user, bool last);
  void plant_run(qemu_plugin_tb* tb, size_t first, size_t last, bool guest, bool user);

  const UseOfTests use_of_tests_;
  AddressRange code_;  // empty: calls only
  Memory bits_;
  Memory masks_;  // until the collector has them
  BlockTests tests_;
  Collector collector_;
  std::vector<Instruction> instructions_;  // of the block at hand; kept for its capacity
};

}  // namespace hap_plugin
