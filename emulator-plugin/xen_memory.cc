// SPDX-License-Identifier: GPL-2.0-or-later
#include "xen_memory.h"

#include <algorithm>
#include <cstring>

namespace hap_plugin {
namespace {

// DIRECTMAP_VIRT_START (xen/arch/x86/include/asm/config.h): the machine's memory from address 0 on. (Machines
// with holes in their memory compress it; the lab's has none below 2 GiB.)
constexpr uint64_t direct_map = 0xffff830000000000;
constexpr uint64_t page_size = 4096;
constexpr uint64_t address_bits = 0x000ffffffffff000;
constexpr uint64_t present = 1;
constexpr uint64_t large_page = 1u << 7;

}  // namespace

XenMemory::XenMemory() : buffer_(g_byte_array_new()) {}

void XenMemory::learn(uint64_t reference_table, uint64_t current_table) {
  if (const auto table = translate(current_table & address_bits, reference_table)) reference_ = *table;
}

bool XenMemory::read(uint64_t address, GByteArray* bytes, size_t length) {
  if (!ready()) return false;
  g_byte_array_set_size(bytes, static_cast<unsigned>(length));
  size_t done = 0;
  while (done < length) {
    const uint64_t at = address + done;
    const size_t part = std::min<size_t>(length - done, page_size - at % page_size);
    const auto machine_address = translate(reference_, at);
    if (!machine_address || !read_machine(*machine_address, bytes->data + done, part)) return false;
    done += part;
  }
  return true;
}

std::optional<uint64_t> XenMemory::translate(uint64_t table, uint64_t address) {
  // Four levels of 512 entries, from the one that covers 512 GiB each.
  for (unsigned shift = 39;; shift -= 9) {
    const uint64_t index = (address >> shift) & 511;
    uint64_t entry = 0;
    if (!read_machine(table + index * sizeof(entry), reinterpret_cast<uint8_t*>(&entry), sizeof(entry)) ||
        (entry & present) == 0) {
      return std::nullopt;
    }
    table = entry & address_bits;
    if (shift == 12 || (shift <= 30 && (entry & large_page) != 0)) {
      const uint64_t inside = (uint64_t{1} << shift) - 1;
      return (table & ~inside) | (address & inside);
    }
  }
}

bool XenMemory::read_machine(uint64_t machine_address, uint8_t* to, size_t length) {
  if (!qemu_plugin_read_memory_vaddr(direct_map + machine_address, buffer_, length)) return false;
  std::memcpy(to, buffer_->data, length);
  return true;
}

}  // namespace hap_plugin
