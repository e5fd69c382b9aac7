// Reads 64-bit little-endian ELF for x86-64: sections, symbols, build id, relocated and decompressed
// contents.
//
// Everything in the file is untrusted: every offset is checked before use, and sizes that would need more
// memory than a debug file can reasonably ask for are refused.
//
// Addresses. An executable or shared object keeps its own virtual addresses. A relocatable file (a kernel
// module) has none, so its sections get some: executable ones first, from 0, in the kernel's own order
// (kernel/module/main.c, layout_sections), init ones from kModuleInitBase, other loaded ones from
// kModuleDataBase. Debug sections stay at 0, as DWARF wants.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mapped_file.h"
#include "hap/result.h"

namespace hap::resolve {

inline constexpr std::uint64_t kModuleDataBase = 0x60000000;

using Bytes = std::span<const std::byte>;

struct ElfSection {
  std::string_view name;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t address = 0;  // assigned for relocatable files, see above
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint32_t link = 0;
  std::uint32_t info = 0;
  std::uint64_t alignment = 0;
  std::uint64_t entry_size = 0;

  bool loaded() const { return (flags & 0x2) != 0; }
  bool executable() const { return (flags & 0x4) != 0; }
};

struct ElfSegment {  // PT_LOAD
  std::uint64_t address = 0;
  std::uint64_t offset = 0;
  std::uint64_t file_size = 0;
  bool executable = false;
};

enum class SymbolType : std::uint8_t { none, object, function, section, file, other };

struct ElfSymbol {
  std::string_view name;
  std::uint64_t address = 0;  // assigned address
  std::uint64_t size = 0;
  std::uint32_t section = 0;  // index; 0: undefined; kNoSection: absolute and the like
  SymbolType type = SymbolType::none;
  bool global = false;
};
inline constexpr std::uint32_t kNoSection = 0xffffffff;

struct ElfRelocation {
  std::uint64_t offset = 0;  // within the section
  std::uint32_t symbol = 0;  // index in symbols()
  std::uint32_t type = 0;
  std::int64_t addend = 0;
};

// Bytes of a section as a debugger wants to see them; owns them when they had to be made.
struct SectionBytes {
  Bytes view;
  std::shared_ptr<std::vector<std::byte>> owned;
};

class ElfFile {
 public:
  static Result<ElfFile> open(const std::string& path);
  // From memory that outlives the object (tests, fuzzing).
  static Result<ElfFile> parse(Bytes bytes, const std::string& path = "(memory)");

  const std::string& path() const { return path_; }
  bool relocatable() const { return type_ == 1; }
  const std::string& build_id() const { return build_id_; }  // lower-case hex, empty if there is none
  Bytes file_bytes() const { return bytes_; }

  const std::vector<ElfSection>& sections() const { return sections_; }
  const ElfSection* section(std::string_view name) const;
  const std::vector<ElfSegment>& segments() const { return segments_; }
  // .symtab, or .dynsym when that is all there is (or `dynamic` asks for it); index 0 is the null symbol.
  const std::vector<ElfSymbol>& symbols() const { return symbols_; }
  const std::vector<ElfSymbol>& dynamic_symbols() const { return dynamic_symbols_; }

  // Contents, decompressed (zlib or zstd) and relocated. A section without bits (.bss, or code in a separate
  // debug file) is empty.
  Result<SectionBytes> contents(const ElfSection& section) const;
  // The same by name; a missing section is empty.
  Result<SectionBytes> contents(std::string_view name) const;
  std::vector<ElfRelocation> relocations(const ElfSection& section) const;

  // The file offset of a virtual address, by the program headers.
  std::optional<std::uint64_t> file_offset(std::uint64_t address) const;
  // The section in which an address lies, among loaded ones.
  const ElfSection* section_at(std::uint64_t address) const;
  // Name and CRC of the separate debug file, from .gnu_debuglink.
  std::optional<std::string> debug_link() const;

 private:
  ElfFile() = default;
  Status read_headers();
  Status read_sections();
  void read_segments();
  void assign_addresses();
  Result<std::vector<ElfSymbol>> read_symbols(std::uint32_t type) const;
  void read_build_id();
  Result<SectionBytes> decompressed(const ElfSection& section) const;
  std::optional<Bytes> raw(const ElfSection& section) const;
  void relocate(const ElfSection& section, std::vector<std::byte>& bytes) const;
  Error corrupt(const std::string& what) const;

  std::shared_ptr<MappedFile> map_;
  Bytes bytes_;
  std::string path_;
  std::uint16_t type_ = 0;
  std::vector<ElfSection> sections_;
  std::vector<ElfSegment> segments_;
  std::vector<ElfSymbol> symbols_;
  std::vector<ElfSymbol> dynamic_symbols_;
  std::string build_id_;
};

}  // namespace hap::resolve
