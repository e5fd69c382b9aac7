// SPDX-License-Identifier: GPL-2.0-or-later
//
// What happens when the emulator translates a block: it is cut into runs that execute as a whole, and the
// callbacks that its instructions call for are planted.
#pragma once

#include <cstdint>

#include "collector.h"

namespace hap_plugin {

// One object per process: QEMU's callbacks find it by a variable, and it lives as long as QEMU, since the
// blocks that callbacks are given must outlive every translation.
class Translator {
 public:
  explicit Translator(const HookTable& hooks);

  Collector& collector() { return collector_; }

  void translate(qemu_plugin_tb* tb);

 private:
  struct Instruction {
    uint8_t bytes[16];
    size_t size;
    uint64_t address;
    qemu_plugin_insn* handle;
  };

  void read(qemu_plugin_tb* tb);
  // Plants what this instruction needs; true when a new run must start behind it.
  bool plant(const Instruction& instruction, bool user, bool last);
  void plant_run(qemu_plugin_tb* tb, size_t first, size_t last, bool guest, bool user);

  Collector collector_;
  std::vector<Instruction> instructions_;  // of the block at hand; kept for its capacity
};

}  // namespace hap_plugin
