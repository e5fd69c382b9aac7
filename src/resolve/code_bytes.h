// The bytes of an image by address, and what the linker knows about single places in them.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "hap/result.h"
#include "resolve/elf_file.h"

namespace hap::resolve {

class CodeBytes {
 public:
  // Loads all sections with bits, relocated. `elf` must outlive the object.
  static Result<CodeBytes> load(const ElfFile& elf);

  // Bytes from an address to the end of its section; empty when there are none.
  Bytes from(std::uint64_t address) const;
  template <typename T>
  std::optional<T> read(std::uint64_t address) const {
    const Bytes bytes = from(address);
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  bool executable(std::uint64_t address) const;
  bool relocatable() const { return elf_->relocatable(); }

  // The undefined symbol that the field at this address is to be filled with; empty: none.
  std::string_view undefined_at(std::uint64_t address) const;
  // The dynamic symbol that the stub at this address (.plt, .plt.sec) jumps to; empty: not a stub.
  std::string_view stub_target(std::uint64_t address) const;

  // Kernel only, empty elsewhere. A ud2 that the kernel continues after (WARN), and one that it does not
  // (BUG).
  enum class Trap { unknown, warning, fatal };
  Trap trap_at(std::uint64_t address) const;
  // Where a static key's site jumps to when it is enabled.
  std::optional<std::uint64_t> static_key_target(std::uint64_t address) const;
  const std::unordered_map<std::uint64_t, std::uint64_t>& static_keys() const { return static_keys_; }

 private:
  struct Piece {
    std::uint64_t begin = 0;
    SectionBytes bytes;
    bool executable = false;
  };
  explicit CodeBytes(const ElfFile& elf) : elf_(&elf) {}
  const Piece* piece_at(std::uint64_t address) const;
  void read_imports();
  void read_traps();
  void read_static_keys();

  const ElfFile* elf_;
  std::vector<Piece> pieces_;  // ascending
  std::unordered_map<std::uint64_t, std::string_view> undefined_;
  std::unordered_map<std::uint64_t, std::string_view> slots_;  // address of a GOT entry -> symbol
  std::unordered_map<std::uint64_t, bool> traps_;              // address of ud2 -> is a warning
  std::unordered_map<std::uint64_t, std::uint64_t> static_keys_;
};

}  // namespace hap::resolve
