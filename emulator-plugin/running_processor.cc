// SPDX-License-Identifier: GPL-2.0-or-later
#include "running_processor.h"

#include "collector.h"

namespace {

// Callbacks of blocks carry no pointer of ours that could lead here.
struct Processors {
  unsigned expected = 1;
  unsigned known = 0;
  unsigned running = 0;
  const void* running_state = nullptr;
  const void* states[hap_plugin::most_vcpus] = {};
  uint64_t unknown = 0;
};
Processors processors;

}  // namespace

extern "C" __attribute__((visibility("hidden"), used)) void hap_processor_runs(const void* state) {
  Processors& p = processors;
  if (state == p.running_state) return;
  unsigned number = 0;
  while (number < p.known && p.states[number] != state) ++number;
  if (number == p.known) {
    if (p.known == p.expected) {
      ++p.unknown;
      return;
    }
    p.states[p.known++] = state;
  }
  p.running = number;
  p.running_state = state;
}

namespace hap_plugin {

#if defined(__x86_64__)
// TCG_AREG0 (tcg/i386/tcg-target.h): generated code calls this with its register still in place.
__attribute__((naked)) void on_processor(unsigned, void*) {
  asm("mov %rbp, %rdi\n\tjmp hap_processor_runs");
}
constexpr bool register_known = true;
#else
void on_processor(unsigned, void*) {}
constexpr bool register_known = false;
#endif

bool expect_processors(unsigned count) {
  processors.expected = count;
  return count == 1 || (register_known && count <= most_vcpus);
}

bool several_processors() {
  return processors.expected > 1;
}

unsigned running_processor() {
  return processors.running;
}

uint64_t unknown_processors() {
  return processors.unknown;
}

}  // namespace hap_plugin
