// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_access.h"

#include <cstring>

namespace hap_plugin {

GuestAccess::GuestAccess() : buffer_(g_byte_array_new()), register_buffer_(g_byte_array_new()) {}

bool GuestAccess::bind_registers() {
  static constexpr const char* names[] = {"rax", "rdx", "rsi", "rdi", "rsp", "k_gs_base", "cr3"};
  static_assert(std::size(names) == static_cast<size_t>(Register::count));
  const GArray* offered = qemu_plugin_get_registers();
  const auto* descriptors = reinterpret_cast<const qemu_plugin_reg_descriptor*>(offered->data);
  for (unsigned i = 0; i < offered->len; ++i) {
    for (size_t wanted = 0; wanted < std::size(names); ++wanted) {
      if (std::strcmp(descriptors[i].name, names[wanted]) == 0) registers_[wanted] = descriptors[i].handle;
    }
  }
  for (const qemu_plugin_register* handle : registers_) {
    if (handle == nullptr) return false;
  }
  return true;
}

uint64_t GuestAccess::read_register(Register which) {
  g_byte_array_set_size(register_buffer_, 0);
  const int size = qemu_plugin_read_register(registers_[static_cast<size_t>(which)], register_buffer_);
  uint64_t value = 0;
  if (size > 0) std::memcpy(&value, register_buffer_->data, size < 8 ? size : 8);
  return value;
}

const uint8_t* GuestAccess::read_bytes(uint64_t address, size_t length) {
  if (!qemu_plugin_read_memory_vaddr(address, buffer_, length) &&
      !xen_memory_.read(address, buffer_, length)) {
    ++failed_reads_;
    return nullptr;
  }
  return buffer_->data;
}

std::string GuestAccess::read_string(uint64_t address, size_t limit) {
  // Never across a page in one read: the next page need not be mapped.
  std::string text;
  while (text.size() < limit) {
    const uint64_t at = address + text.size();
    const size_t in_page = 4096 - (at & 4095);
    const size_t wanted = std::min(limit - text.size(), std::min<size_t>(in_page, 64));
    const uint8_t* bytes = read_bytes(at, wanted);
    if (bytes == nullptr) break;
    const size_t length = strnlen(reinterpret_cast<const char*>(bytes), wanted);
    text.append(reinterpret_cast<const char*>(bytes), length);
    if (length < wanted) break;
  }
  return text;
}

}  // namespace hap_plugin
