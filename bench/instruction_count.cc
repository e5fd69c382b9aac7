// SPDX-License-Identifier: GPL-2.0-or-later
//
// A QEMU plugin that counts executed instructions and says how many there were at every mark (bench/marked.c,
// src/agent/mark.h): a line "KIND ARGUMENT PROCESSOR COUNT COUNT..." each, with the processor that executed
// the mark, the instructions of all processors and of each, in the file given as out=FILE. Processors are
// numbered in the order in which they were first seen to run. Halted time executes nothing, so the counts are
// free of the host's noise.
//
// profile=FILE: where they were executed as well. At every mark a line "mark KIND ARGUMENT" and then, for
// each block that ran, "ADDRESS COUNT COUNT...", instructions by processor since the start.
//
// For machines whose processors share one thread (the lab's). QEMU's own counters, which translated code adds
// to by itself, are of no use there: they go by the processor that a block was translated on, and with a
// second one the code that adds to them overwrites a constant of the guest's (QEMU 10.0). A block that a
// fault or device access cuts short counts whole.
#include "../emulator-plugin/qemu_plugin_api.h"
#include "../emulator-plugin/running_processor.h"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

namespace {

constexpr uint8_t mark_bytes[] = {0x0f, 0x1f, 0x80, 0x31, 0x50, 0x41, 0x48};
constexpr unsigned most_processors = 16;

using Counts = std::array<uint64_t, most_processors>;  // instructions by processor

struct Block {
  uint64_t instructions = 0;  // of it
  Counts executed{};
};

unsigned processors;
Counts executed;
FILE* out;
FILE* profile;
std::multimap<uint64_t, std::unique_ptr<Block>>* blocks;  // by address; code is translated anew
qemu_plugin_register* kind_register;
qemu_plugin_register* argument_register;
GByteArray* value;

uint64_t read(qemu_plugin_register* handle) {
  uint64_t result = 0;
  g_byte_array_set_size(value, 0);
  if (qemu_plugin_read_register(handle, value) >= 8) std::memcpy(&result, value->data, 8);
  return result;
}

void write_counts(FILE* to, const Counts& counts) {
  for (unsigned processor = 0; processor < processors; ++processor) {
    std::fprintf(to, " %" PRIu64, counts[processor]);
  }
  std::fputc('\n', to);
}

void on_block(unsigned, void* instructions) {
  executed[hap_plugin::running_processor()] += reinterpret_cast<uintptr_t>(instructions);
}

void on_profiled_block(unsigned, void* block) {
  auto& counted = *static_cast<Block*>(block);
  const unsigned processor = hap_plugin::running_processor();
  executed[processor] += counted.instructions;
  counted.executed[processor] += counted.instructions;
}

void on_mark(unsigned, void*) {
  const uint64_t kind = read(kind_register);
  const uint64_t argument = read(argument_register);
  uint64_t sum = 0;
  for (const uint64_t count : executed) sum += count;
  std::fprintf(out, "%" PRIu64 " %" PRIu64 " %u %" PRIu64, kind, argument, hap_plugin::running_processor(),
               sum);
  write_counts(out, executed);
  std::fflush(out);
  if (profile == nullptr) return;
  std::fprintf(profile, "mark %" PRIu64 " %" PRIu64 "\n", kind, argument);
  for (const auto& [address, block] : *blocks) {
    std::fprintf(profile, "%" PRIx64, address);
    write_counts(profile, block->executed);
  }
  std::fflush(profile);
}

void on_translation(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  const size_t count = qemu_plugin_tb_n_insns(tb);
  if (hap_plugin::several_processors()) {
    qemu_plugin_register_vcpu_tb_exec_cb(tb, hap_plugin::on_processor, QEMU_PLUGIN_CB_NO_REGS, nullptr);
  }
  if (profile != nullptr) {
    auto made = std::make_unique<Block>();
    made->instructions = count;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_profiled_block, QEMU_PLUGIN_CB_NO_REGS, made.get());
    blocks->emplace(qemu_plugin_tb_vaddr(tb), std::move(made));
  } else {
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS,
                                         reinterpret_cast<void*>(count));
  }
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
  ++processors;
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
  if (profile != nullptr) std::fclose(profile);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int qemu_plugin_version = 4;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const qemu_info_t* machine, int argc,
                                                               char** argv) {
  for (int i = 0; i < argc; ++i) {
    if (std::strncmp(argv[i], "out=", 4) == 0) out = std::fopen(argv[i] + 4, "w");
    if (std::strncmp(argv[i], "profile=", 8) == 0) profile = std::fopen(argv[i] + 8, "w");
  }
  if (out == nullptr) return 1;
  const auto count = static_cast<unsigned>(machine->system.smp_vcpus);
  if (count > most_processors || !hap_plugin::expect_processors(count)) return 1;
  blocks = new std::multimap<uint64_t, std::unique_ptr<Block>>;
  qemu_plugin_register_vcpu_init_cb(id, on_processor);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, at_exit, nullptr);
  return 0;
}
}
