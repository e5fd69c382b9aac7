// SPDX-License-Identifier: GPL-2.0-or-later
//
// A QEMU plugin that calls an empty function before every executed block, and does nothing else: what any
// collector that is told of every block costs at the least with this interface (bench/emulator_overhead).
#include "../emulator-plugin/qemu_plugin_api.h"

namespace {

void nothing(unsigned, void*) {}

void on_translation(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  qemu_plugin_register_vcpu_tb_exec_cb(tb, nothing, QEMU_PLUGIN_CB_NO_REGS, nullptr);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int qemu_plugin_version = 4;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*, int,
                                                               char**) {
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  return 0;
}
}
