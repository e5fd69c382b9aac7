// Which lab machine: the choices that tell one from another.
#pragma once

#include <string>

#include "hap/result.h"

namespace hap::lab {

struct LabSpec {
  // Debian suite of the kernel. The userland is the same for all kernels (kUserlandSuite), so that two
  // kernels can be compared under the same programs.
  std::string suite = "trixie";
  // `cloud`, `full`, or the exact name of a package (linux-image-...).
  std::string kernel = "cloud";
  // What runs beneath the kernel: "" for nothing, or `xen`, with the kernel as its dom0.
  std::string hypervisor;
  int processors = 1;
  // QEMU's processor model. It decides which alternatives the kernel patches into itself.
  std::string cpu = "max";
  int memory_mib = 2048;
  // QEMU's -icount value, or "" for a machine driven by the wall clock.
  std::string icount;
  // Further kernel parameters.
  std::string kernel_parameters;
  // Base address of a Debian mirror; "" takes the machine's own apt sources.
  std::string mirror;
};

inline constexpr const char* kUserlandSuite = "trixie";

// Refuses values that could not be part of a package name, a path or a command line.
Status check_spec(const LabSpec& spec);

// The Debian package that stands for spec.kernel.
std::string kernel_package(const LabSpec& spec);

// The same machine with `hypervisor` beneath it. The cloud flavour cannot be Xen's dom0, so the full one
// takes its place.
LabSpec on_hypervisor(LabSpec spec, const std::string& hypervisor);

// The options of `hap lab` that name this machine's kernel and hypervisor, for hints: "" or " --suite ...".
std::string spec_options(const LabSpec& spec);

}  // namespace hap::lab
