// SPDX-License-Identifier: GPL-2.0-or-later
//
// A QEMU plugin that has something done before every executed block, and nothing else: what any collector
// costs at the least with this interface (bench/emulator_overhead).
//
//   libempty_calls.so                  an empty function is called
//   libempty_calls.so,conditional=on   generated code tests the block's own word, which never asks for the
//   call
#include <cstring>

#include "../emulator-plugin/qemu_plugin_api.h"

extern "C" {

// Of the interface, by its documented signatures, what only this plugin uses.
struct qemu_plugin_scoreboard;
struct qemu_plugin_u64 {
  qemu_plugin_scoreboard* score;
  size_t offset;
};
enum qemu_plugin_cond { QEMU_PLUGIN_COND_NEVER, QEMU_PLUGIN_COND_ALWAYS, QEMU_PLUGIN_COND_EQ };
qemu_plugin_scoreboard* qemu_plugin_scoreboard_new(size_t element_size);
void qemu_plugin_register_vcpu_tb_exec_cond_cb(qemu_plugin_tb* tb, qemu_plugin_vcpu_udata_cb_t cb,
                                               qemu_plugin_cb_flags flags, qemu_plugin_cond condition,
                                               qemu_plugin_u64 entry, uint64_t value, void* userdata);

}  // extern "C"

namespace {

// More than a run translates; beyond it, blocks share words.
constexpr size_t words = size_t{1} << 20;
qemu_plugin_scoreboard* board;
size_t translated;

void nothing(unsigned, void*) {}

void call_before(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  qemu_plugin_register_vcpu_tb_exec_cb(tb, nothing, QEMU_PLUGIN_CB_NO_REGS, nullptr);
}

void test_before(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  const size_t word = translated++ % words;
  // All words stay 0.
  qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, nothing, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_COND_EQ,
                                            {board, word * sizeof(uint64_t)}, 1, nullptr);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int qemu_plugin_version = 4;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*,
                                                               int count, char** arguments) {
  const bool conditional = count == 1 && std::strcmp(arguments[0], "conditional=on") == 0;
  if (count != 0 && !conditional) return 1;
  if (conditional) board = qemu_plugin_scoreboard_new(words * sizeof(uint64_t));
  qemu_plugin_register_vcpu_tb_trans_cb(id, conditional ? test_before : call_before);
  return 0;
}
}
