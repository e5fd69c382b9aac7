// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the memory of dom0's kernel while dom0 is in user mode. Xen gives a 64-bit paravirtualized domain two
// page tables, and that of user mode lacks the kernel. Both have Xen's own part, in which all of the
// machine's memory is mapped; so the kernel's page table can be walked by hand there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "qemu_plugin_api.h"

namespace hap_plugin {

class XenMemory {
 public:
  XenMemory();

  // While dom0's kernel runs: remembers where the page table at `reference_table` (the kernel's own, which
  // maps all of it whatever process runs) is in the machine's memory. `current_table`: the processor's cr3.
  void learn(uint64_t reference_table, uint64_t current_table);
  bool ready() const { return reference_ != 0; }

  // `length` bytes of dom0's kernel at `address` into `bytes`.
  bool read(uint64_t address, GByteArray* bytes, size_t length);

 private:
  // The machine address behind a virtual one; nothing when it is not mapped.
  std::optional<uint64_t> translate(uint64_t table, uint64_t address);
  bool read_machine(uint64_t machine_address, uint8_t* to, size_t length);

  GByteArray* buffer_;  // lives as long as QEMU
  uint64_t reference_ = 0;
};

}  // namespace hap_plugin
