// The booted, quiet machine as a file, and the facts about it that a recording needs.
#pragma once

#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/progress.h"
#include "hap/result.h"
#include "lab/cache.h"
#include "lab/spec.h"

namespace hap::lab {

// Files of a checkpoint's cache entry.
inline constexpr const char* kInitramfs = "initramfs.cpio";
inline constexpr const char* kState = "machine.state";      // QEMU migration stream
inline constexpr const char* kKallsyms = "kallsyms.txt";    // as /proc/kallsyms, modules included
inline constexpr const char* kBtf = "vmlinux.btf";          // raw BTF of the kernel
inline constexpr const char* kKernelFacts = "kernel.json";  // the agent's `kernel` answer
inline constexpr const char* kProcessMaps =
    "maps.txt";  // /proc/*/maps at the checkpoint: "pid P comm C" lines

// What a machine is put together from.
struct MachineSources {
  const CacheEntry& userland;
  const CacheEntry& kernel;
  const std::optional<CacheEntry>& hypervisor;
};

// Boots the machine once, waits until it is quiet, warms the page cache, saves it. Cached by everything
// that goes in: the images, the agent, the machine's options, QEMU's version.
Result<CacheEntry> ensure_checkpoint(const LabCache& cache, const LabSpec& spec,
                                     const MachineSources& sources, bool again, Progress& progress,
                                     const CancelToken& cancel);

}  // namespace hap::lab
