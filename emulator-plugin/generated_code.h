// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where QEMU keeps the machine code that it makes of the machine's, and memory that instructions in there
// reach with an offset of 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hap_plugin {

struct AddressRange {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  bool contains(uintptr_t address) const { return address >= begin && address < end; }
};

// The largest mapping of this process that is writable and executable: QEMU has it from before plugins are
// loaded. Empty when there is none (QEMU with split-wx).
AddressRange generated_code();

// A mapping of its own.
class Memory {
 public:
  Memory() = default;
  Memory(Memory&& other) noexcept { *this = static_cast<Memory&&>(other); }
  Memory& operator=(Memory&& other) noexcept;
  ~Memory();

  // Anywhere. Throws std::bad_alloc. Address space is taken at once, memory as it is used.
  static Memory anywhere(size_t size);
  // So that every byte of it and every byte of `code` are within 2 GiB of each other; empty when there is no
  // room. `executable`: as well as writable.
  static Memory within_reach(const AddressRange& code, size_t size, bool executable);
  // In the lowest 2 GiB; empty when there is no room.
  static Memory low(size_t size);

  bool make_read_only_code();
  std::byte* data() const { return data_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  static Memory at(uintptr_t address, size_t size, int protection);

  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace hap_plugin
