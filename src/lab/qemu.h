// QEMU as the lab uses it: which one is there, and the command line of the machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hap/result.h"
#include "lab/spec.h"

namespace hap::lab {

inline constexpr const char* kQemuProgram = "qemu-system-x86_64";
// Plugin API version 4 (registers and memory in callbacks) came with this release.
inline constexpr int kOldestQemu = 10;

struct QemuVersion {
  int major = 0;
  int minor = 0;
  std::string text;  // "10.0.2"
  std::string path;
};

// From the first line of `qemu-system-x86_64 --version`.
Result<QemuVersion> parse_qemu_version(const std::string& output);
// The installed one. Missing or too old: an Error whose hint names the package that helps here.
Result<QemuVersion> find_qemu();

// Files and descriptors a machine is started with.
struct MachineParts {
  std::string kernel;
  std::string initramfs;
  std::string root_image;
  std::string kernel_disk;
  std::string boot_parameters =
      {};             // kernel parameters that matter while booting only: no part of the identity
  int agent_fd = -1;  // sockets inherited by QEMU
  int qmp_fd = -1;
  std::string hypervisor = {};  // image that boots first and is given `kernel` as its dom0; empty: none
};

// Frequency of the time stamp counter that a guest of this host sees, in kHz. Without the instruction clock
// it is the host's own, measured here; with it, QEMU counts nanoseconds of virtual time.
uint64_t guest_tsc_khz(const LabSpec& spec);

// Everything except how it starts (boot or -incoming) and plugins. The console is QEMU's standard output.
std::vector<std::string> machine_command(const LabSpec& spec, const MachineParts& parts);
// The part of it that a checkpoint depends on: the same without paths and descriptors.
std::vector<std::string> machine_identity(const LabSpec& spec);

}  // namespace hap::lab
