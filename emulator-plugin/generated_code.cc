// SPDX-License-Identifier: GPL-2.0-or-later
#include "generated_code.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

namespace hap_plugin {
namespace {

constexpr int data_protection = PROT_READ | PROT_WRITE;
constexpr uintptr_t reach = uintptr_t{1} << 31;
// What instructions are long and what is read behind the last byte.
constexpr uintptr_t margin = 64;

}  // namespace

AddressRange generated_code() {
  AddressRange found;
  std::FILE* maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return {};
  char line[4096];
  while (std::fgets(line, sizeof(line), maps) != nullptr) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char protection[5] = {};
    if (std::sscanf(line, "%lx-%lx %4s", &begin, &end, protection) != 3) continue;
    if (std::strncmp(protection, "rwx", 3) != 0 || end - begin <= found.end - found.begin) continue;
    found = {begin, end};
  }
  std::fclose(maps);
  return found;
}

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Memory::~Memory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Memory Memory::at(uintptr_t address, size_t size, int protection) {
  const int fixed = address == 0 ? 0 : MAP_FIXED_NOREPLACE;
  void* found = ::mmap(reinterpret_cast<void*>(address), size, protection,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
  Memory memory;
  if (found == MAP_FAILED) return memory;
  memory.data_ = static_cast<std::byte*>(found);
  memory.size_ = size;
  // Kernels that do not know the flag take the address for a wish.
  if (address != 0 && reinterpret_cast<uintptr_t>(found) != address) return {};
  return memory;
}

Memory Memory::anywhere(size_t size) {
  Memory memory = at(0, size, data_protection);
  if (!memory) throw std::bad_alloc();
  return memory;
}

Memory Memory::within_reach(const AddressRange& code, size_t size, bool executable) {
  if (code.end == code.begin || code.end - code.begin + size + margin > reach) return {};
  constexpr uintptr_t step = uintptr_t{1} << 24;
  const uintptr_t lowest = code.end + margin > reach ? code.end + margin - reach : step;
  const uintptr_t highest = code.begin + reach - margin - size;
  const int protection = executable ? data_protection | PROT_EXEC : data_protection;
  for (uintptr_t up = (code.end + step - 1) / step * step; up <= highest; up += step) {
    if (Memory memory = at(up, size, protection)) return memory;
  }
  if (code.begin < size) return {};
  for (uintptr_t down = (code.begin - size) / step * step; down >= lowest && down != 0; down -= step) {
    if (Memory memory = at(down, size, protection)) return memory;
  }
  return {};
}

Memory Memory::low(size_t size) {
  constexpr uintptr_t step = uintptr_t{1} << 24;
  for (uintptr_t address = step; address < reach - size; address += step) {
    if (Memory memory = at(address, size, data_protection)) return memory;
  }
  return {};
}

bool Memory::make_read_only_code() {
  return ::mprotect(data_, size_, PROT_READ | PROT_EXEC) == 0;
}

}  // namespace hap_plugin
