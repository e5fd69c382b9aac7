// What kind of thing executed code came from; shared by recordings and the resolver.
#pragma once

#include <cstdint>

namespace hap {

// Stored by name in recordings. What an address means depends on it: see Image in hap/recording.h.
enum class ImageKind : std::uint8_t {
  kernel,      // a kernel's own text
  module,      // a loadable module
  user,        // an ELF file in user space
  hypervisor,  // Xen's own text
  vdso,        // the kernel's code in user space
  bpf,         // JIT-compiled BPF programs
  trampoline,  // ftrace, BPF, kprobe and static-call trampolines made at run time
  jit,         // anonymous executable memory of a process
  memfd,       // code of a memfd
  other,       // anything else: [unresolved]
};

}  // namespace hap
