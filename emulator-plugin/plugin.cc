// SPDX-License-Identifier: GPL-2.0-or-later
//
// hap-emulator: a QEMU TCG plugin that notes every executed block of every address space and on whose behalf
// it ran.
//
//   -plugin libhap-emulator.so,hooks=FILE,out=FILE[,tests=off|check]
//
// Of the tests before blocks (block_tests.h): `off` has every block looked at by a call, as where tests are
// not possible; `check` counts those that are wrong.
//
// docs/emulator.md explains how it works and how exact it is. QEMU must run with `-accel tcg,thread=single`:
// all virtual processors then share one thread and nothing here needs a lock.
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "running_processor.h"
#include "translation.h"

namespace {

struct Plugin {
  hap_plugin::HookTable hooks;
  std::unique_ptr<hap_plugin::Translator> translator;
};

Plugin* plugin;  // QEMU's callbacks of these kinds carry no pointer; lives until the process ends

void on_vcpu_init(qemu_plugin_id_t, unsigned index) {
  plugin->translator->collector().add_vcpu(index);
}
void on_translate(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  plugin->translator->translate(tb);
}
void on_flush(qemu_plugin_id_t) {
  plugin->translator->flushed();
}
void on_exit(qemu_plugin_id_t, void*) {
  plugin->translator->collector().finish();
}

bool take_option(const char* argument, const char* name, std::string& value) {
  const size_t length = std::strlen(name);
  if (std::strncmp(argument, name, length) != 0 || argument[length] != '=') return false;
  value = argument + length + 1;
  return true;
}

std::optional<hap_plugin::UseOfTests> use_of_tests_named(const std::string& name) {
  if (name == "on") return hap_plugin::UseOfTests::on;
  if (name == "off") return hap_plugin::UseOfTests::off;
  if (name == "check") return hap_plugin::UseOfTests::checked;
  return std::nullopt;
}

int refuse(const std::string& why) {
  std::fprintf(stderr, "hap-emulator: %s\n", why.c_str());
  return -1;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int qemu_plugin_version = 4;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const qemu_info_t* machine, int argc,
                                                               char** argv) {
  std::string hooks_path;
  std::string out_path;
  std::string tests = "on";
  for (int i = 0; i < argc; ++i) {
    if (!take_option(argv[i], "hooks", hooks_path) && !take_option(argv[i], "out", out_path) &&
        !take_option(argv[i], "tests", tests)) {
      return refuse(std::string("unknown option ") + argv[i]);
    }
  }
  if (std::strcmp(machine->target_name, "x86_64") != 0 || !machine->system_emulation) {
    return refuse("only qemu-system-x86_64 is supported");
  }
  if (!hap_plugin::expect_processors(static_cast<unsigned>(machine->system.smp_vcpus))) {
    return refuse("with more than one processor only x86-64 hosts are supported");
  }
  if (hooks_path.empty() || out_path.empty()) return refuse("the options hooks=FILE and out=FILE are needed");

  const auto use_of_tests = use_of_tests_named(tests);
  if (!use_of_tests) return refuse("tests are on, off or check");

  auto loaded = std::make_unique<Plugin>();
  std::string error;
  if (!loaded->hooks.load(hooks_path, error)) return refuse(error);
  loaded->translator = std::make_unique<hap_plugin::Translator>(loaded->hooks, *use_of_tests);
  if (!loaded->translator->collector().open(out_path)) return refuse("cannot write " + out_path);
  plugin = loaded.release();

  qemu_plugin_register_vcpu_init_cb(id, on_vcpu_init);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  qemu_plugin_register_flush_cb(id, on_flush);
  qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
  return 0;
}

}  // extern "C"
