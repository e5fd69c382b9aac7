// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads registers and memory of the vCPU whose callback is running.
//
// Memory reads walk the guest's page tables in software (about half a microsecond each), so they belong into
// hooks, never into the path of every block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "qemu_plugin_api.h"
#include "xen_memory.h"

namespace hap_plugin {

enum class Register { rax, rdx, rsi, rdi, rsp, kernel_gs_base, cr3, count };

class GuestAccess {
 public:
  GuestAccess();

  // Looks the register handles up; needs a running vCPU. False when QEMU does not offer one of them.
  bool bind_registers();

  uint64_t read_register(Register which);

  // For a kernel on Xen: once this has learnt its page table, what is not mapped at the moment is read
  // through it. Call it in kernel mode.
  void learn_kernel_page_table(uint64_t reference_table) {
    xen_memory_.learn(reference_table, read_register(Register::cr3));
  }
  bool knows_kernel_page_table() const { return xen_memory_.ready(); }

  // Null, and counted, when the address is not mapped.
  std::optional<uint64_t> read_u64(uint64_t address) { return read_integer<uint64_t>(address); }
  std::optional<uint32_t> read_u32(uint64_t address) { return read_integer<uint32_t>(address); }
  std::optional<uint16_t> read_u16(uint64_t address) { return read_integer<uint16_t>(address); }

  // `length` bytes at `address`, valid until the next read; null when not mapped.
  const uint8_t* read_bytes(uint64_t address, size_t length);

  // A NUL-terminated string of at most `limit` bytes.
  std::string read_string(uint64_t address, size_t limit);

  uint64_t failed_reads() const { return failed_reads_; }

 private:
  template <typename T>
  std::optional<T> read_integer(uint64_t address) {
    const uint8_t* bytes = read_bytes(address, sizeof(T));
    if (bytes == nullptr) return std::nullopt;
    T value;
    __builtin_memcpy(&value, bytes, sizeof(T));
    return value;
  }

  GByteArray* buffer_;  // lives as long as QEMU
  GByteArray* register_buffer_;
  qemu_plugin_register* registers_[static_cast<size_t>(Register::count)] = {};
  XenMemory xen_memory_;
  uint64_t failed_reads_ = 0;
};

}  // namespace hap_plugin
