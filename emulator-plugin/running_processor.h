// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which virtual processor runs the block at hand.
//
// With `-accel tcg,thread=single` all processors share the translated code, yet QEMU 9.1 and later put the
// number of the processor that a block was *translated* on into it (gen_cpu_index in accel/tcg/plugin-gen.c),
// so that callbacks are given the wrong one as soon as there are two. What tells processors apart at run time
// is the register in which generated code keeps the address of the processor's state. With one processor
// nothing of this is needed, and nothing is planted.
#pragma once

#include <cstdint>

namespace hap_plugin {

// Says how many processors there are. False when this host's register is not known and there are several.
bool expect_processors(unsigned count);

bool several_processors();

// The callback that must come first in every block when there are several.
void on_processor(unsigned, void*);

// Numbers follow the order in which processors were first seen to run; 0 with one processor.
unsigned running_processor();

// States seen beyond the number of processors: must be 0, or the register held something else.
uint64_t unknown_processors();

}  // namespace hap_plugin
