// The hypervisor beneath the lab machine's kernel: Debian's Xen as an image that QEMU boots, and its symbols.
#pragma once

#include <optional>

#include "base/cancel.h"
#include "base/progress.h"
#include "hap/result.h"
#include "lab/cache.h"
#include "lab/spec.h"

namespace hap::lab {

// Files of a hypervisor's cache entry.
inline constexpr const char* kHypervisorImage = "xen";         // unpacked: QEMU boots nothing compressed
inline constexpr const char* kHypervisorSymbols = "xen-syms";  // the same build as ELF with DWARF

inline constexpr const char* kHypervisorMap =
    "xen-syms.map";  // its symbols as text: "0xADDRESS TYPE [FILE#]NAME"

// Nothing for a machine without a hypervisor, else out of the cache or built. The facts carry `package` and
// `version`.
Result<std::optional<CacheEntry>> build_hypervisor(const LabCache& cache, const LabSpec& spec, bool again,
                                                   Progress& progress, const CancelToken& cancel);
// The one that was built before; a missing one is an Error of kind `unsupported`.
Result<std::optional<CacheEntry>> find_hypervisor(const LabCache& cache, const LabSpec& spec);

}  // namespace hap::lab
