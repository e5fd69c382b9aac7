// The lab machine's kernel: a stock Debian package as a disk of modules, a boot image and debug symbols.
#pragma once

#include <string>

#include "base/cancel.h"
#include "base/progress.h"
#include "hap/result.h"
#include "lab/cache.h"
#include "lab/spec.h"

namespace hap::lab {

// Files of a kernel's cache entry.
inline constexpr const char* kKernelDisk = "kernel.ext4";  // <release>/..., with vmlinuz for nested guests
inline constexpr const char* kVmlinuz = "vmlinuz";
inline constexpr const char* kPreload = "preload";  // folder: modules for the initramfs, and `order`

// Out of the cache or built. The facts carry `release`, `package`, `version`.
Result<CacheEntry> build_kernel(const LabCache& cache, const LabSpec& spec, bool again, Progress& progress,
                                const CancelToken& cancel);
Result<CacheEntry> find_kernel(const LabCache& cache, const LabSpec& spec);

// vmlinux and the loaded modules with DWARF, as a tree usr/lib/debug/...: an entry of its own in the cache,
// because the symbol index made of it is all that is needed later (then remove it by its name).
Result<CacheEntry> build_debug_files(const LabCache& cache, const LabSpec& spec, const CacheEntry& kernel,
                                     Progress& progress, const CancelToken& cancel);

}  // namespace hap::lab
