#include "resolve/code_bytes.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "base/checked_reader.h"
#include "resolve/dwarf_unit.h"

namespace hap::resolve {

namespace {

constexpr std::uint64_t kMaxSection = std::uint64_t{1} << 30;

const ElfSymbol* find_symbol(const ElfFile& elf, std::string_view name) {
  for (const auto& symbol : elf.symbols()) {
    if (symbol.name == name && symbol.section != 0) return &symbol;
  }
  return nullptr;
}

// A table in a section of its own (modules), or between two symbols of the linker script (vmlinux).
AddressRange table_range(const ElfFile& elf, std::string_view section, std::string_view start,
                         std::string_view stop) {
  if (const auto* found = elf.section(section)) return {found->address, found->address + found->size};
  const auto* first = find_symbol(elf, start);
  const auto* last = find_symbol(elf, stop);
  if (first == nullptr || last == nullptr || last->address < first->address) return {};
  return {first->address, last->address};
}

}  // namespace

Result<CodeBytes> CodeBytes::load(const ElfFile& elf) {
  CodeBytes code(elf);
  for (const auto& section : elf.sections()) {
    if (!section.loaded() || section.type == SHT_NOBITS || section.size == 0 || section.size > kMaxSection)
      continue;
    if ((section.flags & SHF_TLS) != 0 || section.name == ".data..percpu") continue;
    HAP_TRY(bytes, elf.contents(section));
    code.pieces_.push_back({section.address, std::move(bytes), section.executable()});
  }
  std::sort(code.pieces_.begin(), code.pieces_.end(),
            [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
  code.read_imports();
  code.read_traps();
  code.read_static_keys();
  return code;
}

const CodeBytes::Piece* CodeBytes::piece_at(std::uint64_t address) const {
  const auto after =
      std::upper_bound(pieces_.begin(), pieces_.end(), address,
                       [](std::uint64_t value, const Piece& piece) { return value < piece.begin; });
  if (after == pieces_.begin()) return nullptr;
  const Piece& piece = *std::prev(after);
  return address - piece.begin < piece.bytes.view.size() ? &piece : nullptr;
}

Bytes CodeBytes::from(std::uint64_t address) const {
  const Piece* piece = piece_at(address);
  return piece == nullptr ? Bytes{} : piece->bytes.view.subspan(address - piece->begin);
}

bool CodeBytes::executable(std::uint64_t address) const {
  const Piece* piece = piece_at(address);
  return piece != nullptr && piece->executable;
}

void CodeBytes::read_imports() {
  if (elf_->relocatable()) {
    for (const auto& section : elf_->sections()) {
      if (!section.loaded() || !section.executable()) continue;
      for (const auto& relocation : elf_->relocations(section)) {
        if (relocation.symbol == 0 || relocation.symbol >= elf_->symbols().size()) continue;
        const auto& symbol = elf_->symbols()[relocation.symbol];
        if (symbol.section == 0) undefined_[section.address + relocation.offset] = symbol.name;
      }
    }
    return;
  }
  const auto& symbols = elf_->dynamic_symbols();
  for (const auto& section : elf_->sections()) {
    if (section.type != SHT_RELA || !section.loaded()) continue;
    const auto bytes = elf_->contents(section);
    if (!bytes) continue;
    CheckedReader reader(bytes->view);
    while (reader.remaining() >= sizeof(Elf64_Rela)) {
      const auto entry = reader.read<Elf64_Rela>();
      const auto type = ELF64_R_TYPE(entry.r_info);
      const std::size_t symbol = ELF64_R_SYM(entry.r_info);
      if ((type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT) && symbol != 0 &&
          symbol < symbols.size()) {
        slots_[entry.r_offset] = symbols[symbol].name;
      }
    }
  }
}

// struct bug_entry with relative pointers and CONFIG_DEBUG_BUGVERBOSE: s32 address, s32 file, u16 line, u16
// flags.
void CodeBytes::read_traps() {
  const AddressRange table = table_range(*elf_, "__bug_table", "__start___bug_table", "__stop___bug_table");
  constexpr std::uint64_t entry_size = 12;
  constexpr std::uint16_t warning = 1;  // BUGFLAG_WARNING
  for (std::uint64_t at = table.begin; at + entry_size <= table.end; at += entry_size) {
    const auto distance = read<std::int32_t>(at);
    const auto flags = read<std::uint16_t>(at + 10);
    if (!distance || !flags) return;
    traps_[at + static_cast<std::uint64_t>(std::int64_t{*distance})] = (*flags & warning) != 0;
  }
}

// struct jump_entry: s32 code, s32 target, s64 key, each relative to its own place.
void CodeBytes::read_static_keys() {
  const AddressRange table =
      table_range(*elf_, "__jump_table", "__start___jump_table", "__stop___jump_table");
  constexpr std::uint64_t entry_size = 16;
  for (std::uint64_t at = table.begin; at + entry_size <= table.end; at += entry_size) {
    const auto code = read<std::int32_t>(at);
    const auto target = read<std::int32_t>(at + 4);
    if (!code || !target) return;
    static_keys_[at + static_cast<std::uint64_t>(std::int64_t{*code})] =
        at + 4 + static_cast<std::uint64_t>(std::int64_t{*target});
  }
}

std::string_view CodeBytes::undefined_at(std::uint64_t address) const {
  const auto found = undefined_.find(address);
  return found == undefined_.end() ? std::string_view{} : found->second;
}

std::string_view CodeBytes::stub_target(std::uint64_t address) const {
  if (slots_.empty()) return {};
  const Bytes bytes = from(address);
  // endbr64 and a bnd prefix may come before the jump through the slot, ff 25 <distance>.
  for (std::size_t at = 0; at < 8 && at + 6 <= bytes.size(); ++at) {
    if (bytes[at] != std::byte{0xff} || bytes[at + 1] != std::byte{0x25}) continue;
    std::int32_t distance = 0;
    std::memcpy(&distance, bytes.data() + at + 2, sizeof(distance));
    const auto found = slots_.find(address + at + 6 + static_cast<std::uint64_t>(std::int64_t{distance}));
    return found == slots_.end() ? std::string_view{} : found->second;
  }
  return {};
}

CodeBytes::Trap CodeBytes::trap_at(std::uint64_t address) const {
  const auto found = traps_.find(address);
  if (found == traps_.end()) return Trap::unknown;
  return found->second ? Trap::warning : Trap::fatal;
}

std::optional<std::uint64_t> CodeBytes::static_key_target(std::uint64_t address) const {
  const auto found = static_keys_.find(address);
  if (found == static_keys_.end()) return std::nullopt;
  return found->second;
}

}  // namespace hap::resolve
