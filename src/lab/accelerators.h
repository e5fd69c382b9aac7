// Which of QEMU's accelerators work here, found out by trying: a device node says nothing, and on some hosts
// a guest under KVM hangs for ever.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "hap/result.h"

namespace hap::lab {

struct AcceleratorProbe {
  std::string name;  // tcg, kvm
  bool usable = false;
  std::string why_not;         // when not usable: a sentence without a final stop
  double seconds = 0;          // how long the trial took
  bool booted_kernel = false;  // the trial was a Linux kernel, not only a few instructions
};

// Runs each accelerator for at most `limit`: `kernel` (a vmlinuz) up to its panic for want of a root, or,
// without a kernel, some instructions of firmware that end the machine.
std::vector<AcceleratorProbe> probe_accelerators(const std::string& kernel, std::chrono::milliseconds limit,
                                                 const CancelToken& cancel);
// With the kernel of a built lab when there is one.
std::vector<AcceleratorProbe> probe_accelerators(const CancelToken& cancel);

// 64 KiB of firmware whose reset vector writes to QEMU's debug exit device.
std::string exit_firmware();

}  // namespace hap::lab
