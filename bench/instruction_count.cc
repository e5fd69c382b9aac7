// SPDX-License-Identifier: GPL-2.0-or-later
//
// A QEMU plugin that counts executed instructions and says how many there were at every mark (bench/marked.c,
// src/agent/mark.h): a line "KIND ARGUMENT COUNT" each, in the file given as out=FILE. Halted time executes
// nothing, so the count is free of the host's noise.
//
// For machines whose processors share one thread (the lab's). A block that a fault or device access cuts
// short counts whole.
#include "../emulator-plugin/qemu_plugin_api.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

// Counters that translated code adds to by itself, without calling the plugin (since QEMU 9.0).
extern "C" {
struct qemu_plugin_scoreboard;
typedef struct {
  struct qemu_plugin_scoreboard* score;
  size_t offset;
} qemu_plugin_u64;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
struct qemu_plugin_scoreboard* qemu_plugin_scoreboard_new(size_t element_size);
uint64_t qemu_plugin_u64_sum(qemu_plugin_u64 entry);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb* tb, enum qemu_plugin_op op,
                                                       qemu_plugin_u64 entry, uint64_t imm);
}

namespace {

constexpr uint8_t mark_bytes[] = {0x0f, 0x1f, 0x80, 0x31, 0x50, 0x41, 0x48};

qemu_plugin_u64 executed;
FILE* out;
qemu_plugin_register* kind_register;
qemu_plugin_register* argument_register;
GByteArray* value;

uint64_t read(qemu_plugin_register* handle) {
  uint64_t result = 0;
  g_byte_array_set_size(value, 0);
  if (qemu_plugin_read_register(handle, value) >= 8) std::memcpy(&result, value->data, 8);
  return result;
}

void on_mark(unsigned, void*) {
  std::fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", read(kind_register), read(argument_register),
               qemu_plugin_u64_sum(executed));
  std::fflush(out);
}

void on_translation(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  const size_t count = qemu_plugin_tb_n_insns(tb);
  qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64, executed, count);
  for (size_t i = 0; i < count; ++i) {
    uint8_t bytes[sizeof(mark_bytes)];
    qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(tb, i);
    if (qemu_plugin_insn_size(instruction) != sizeof(bytes)) continue;
    qemu_plugin_insn_data(instruction, bytes, sizeof(bytes));
    if (std::memcmp(bytes, mark_bytes, sizeof(bytes)) == 0) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, QEMU_PLUGIN_CB_R_REGS, nullptr);
    }
  }
}

void on_processor(qemu_plugin_id_t, unsigned) {
  if (kind_register != nullptr) return;
  const GArray* registers = qemu_plugin_get_registers();
  const auto* entries = reinterpret_cast<const qemu_plugin_reg_descriptor*>(registers->data);
  for (unsigned i = 0; i < registers->len; ++i) {
    if (std::strcmp(entries[i].name, "rdi") == 0) kind_register = entries[i].handle;
    if (std::strcmp(entries[i].name, "rsi") == 0) argument_register = entries[i].handle;
  }
  value = g_byte_array_new();
}

void at_exit(qemu_plugin_id_t, void*) {
  std::fclose(out);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int qemu_plugin_version = 4;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*,
                                                               int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    if (std::strncmp(argv[i], "out=", 4) == 0) out = std::fopen(argv[i] + 4, "w");
  }
  if (out == nullptr) return 1;
  executed = {qemu_plugin_scoreboard_new(sizeof(uint64_t)), 0};
  qemu_plugin_register_vcpu_init_cb(id, on_processor);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, at_exit, nullptr);
  return 0;
}
}
