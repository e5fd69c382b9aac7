#include "resolve/elf_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "base/checked_reader.h"
#include "hap/resolver.h"
#include "resolve/decompress.h"

namespace hap::resolve {

namespace {

// More than any kernel or browser has; a hostile header must not make us allocate without end.
constexpr std::uint64_t kMaxSections = 1u << 20;

std::string_view string_at(Bytes table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const auto* start = reinterpret_cast<const char*>(table.data()) + offset;
  return {start, strnlen(start, table.size() - offset)};
}

SymbolType symbol_type(std::uint8_t info) {
  switch (info & 0xf) {
    case STT_NOTYPE:
      return SymbolType::none;
    case STT_OBJECT:
      return SymbolType::object;
    case STT_FUNC:
    case STT_GNU_IFUNC:
      return SymbolType::function;
    case STT_SECTION:
      return SymbolType::section;
    case STT_FILE:
      return SymbolType::file;
    default:
      return SymbolType::other;
  }
}

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 0xf];
  }
  return text;
}

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  if (alignment <= 1 || (alignment & (alignment - 1)) != 0 || alignment > (1u << 21)) return value;
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace

Error ElfFile::corrupt(const std::string& what) const {
  return Error("not a usable ELF file: " + what).at(path_).of_kind(ErrorKind::corrupt);
}

Result<ElfFile> ElfFile::open(const std::string& path) {
  HAP_TRY(map, MappedFile::open(path));
  auto shared = std::make_shared<MappedFile>(std::move(map));
  auto file = parse(shared->bytes(), path);
  if (!file) return file.error();
  file->map_ = std::move(shared);
  return file;
}

Result<ElfFile> ElfFile::parse(Bytes bytes, const std::string& path) {
  ElfFile file;
  file.bytes_ = bytes;
  file.path_ = path;
  HAP_CHECK(file.read_headers());
  HAP_CHECK(file.read_sections());
  file.read_segments();
  if (file.relocatable()) file.assign_addresses();
  HAP_TRY(symbols, file.read_symbols(SHT_SYMTAB));
  file.symbols_ = std::move(symbols);
  HAP_TRY(dynamic, file.read_symbols(SHT_DYNSYM));
  file.dynamic_symbols_ = std::move(dynamic);
  file.read_build_id();
  return file;
}

Status ElfFile::read_headers() {
  CheckedReader reader(bytes_);
  const auto header = reader.read<Elf64_Ehdr>();
  if (!reader.ok() || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return corrupt("no ELF header");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64) {
    return Error("only 64-bit x86 ELF files are supported").at(path_).of_kind(ErrorKind::unsupported);
  }
  type_ = header.e_type;
  return {};
}

Status ElfFile::read_sections() {
  CheckedReader reader(bytes_);
  const auto header = reader.read<Elf64_Ehdr>();
  if (header.e_shoff == 0) return {};
  if (header.e_shentsize != sizeof(Elf64_Shdr)) return corrupt("section header size");
  std::uint64_t count = header.e_shnum;
  std::uint32_t names_index = header.e_shstrndx;
  auto first = reader.at(header.e_shoff, sizeof(Elf64_Shdr));
  const auto zero = first.read<Elf64_Shdr>();
  if (!first.ok()) return corrupt("section headers lie outside the file");
  if (count == 0) count = zero.sh_size;  // more than 65,279 sections
  if (names_index == SHN_XINDEX) names_index = zero.sh_link;
  if (count > kMaxSections) return corrupt("too many sections");
  auto table = reader.at(header.e_shoff, count * sizeof(Elf64_Shdr));
  if (!table.ok()) return corrupt("section headers lie outside the file");
  std::vector<std::uint32_t> names;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto raw_header = table.read<Elf64_Shdr>();
    ElfSection section;
    section.type = raw_header.sh_type;
    section.flags = raw_header.sh_flags;
    section.address = raw_header.sh_addr;
    section.offset = raw_header.sh_offset;
    section.size = raw_header.sh_size;
    section.link = raw_header.sh_link;
    section.info = raw_header.sh_info;
    section.alignment = raw_header.sh_addralign;
    section.entry_size = raw_header.sh_entsize;
    names.push_back(raw_header.sh_name);
    sections_.push_back(section);
  }
  if (names_index < sections_.size()) {
    if (const auto table_bytes = raw(sections_[names_index])) {
      for (std::size_t i = 0; i < sections_.size(); ++i)
        sections_[i].name = string_at(*table_bytes, names[i]);
    }
  }
  return {};
}

void ElfFile::read_segments() {
  CheckedReader reader(bytes_);
  const auto header = reader.read<Elf64_Ehdr>();
  if (header.e_phoff == 0 || header.e_phentsize != sizeof(Elf64_Phdr)) return;
  auto table = reader.at(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr));
  for (unsigned i = 0; i < header.e_phnum && table.ok(); ++i) {
    const auto segment = table.read<Elf64_Phdr>();
    if (!table.ok() || segment.p_type != PT_LOAD) continue;
    segments_.push_back({segment.p_vaddr, segment.p_offset, segment.p_filesz, (segment.p_flags & PF_X) != 0});
  }
}

void ElfFile::assign_addresses() {
  std::uint64_t core = 0;
  std::uint64_t init = kModuleInitBase;
  std::uint64_t data = kModuleDataBase;
  for (auto& section : sections_) {
    section.address = 0;
    if (!section.loaded() || section.size > (1u << 30)) continue;
    auto& next = !section.executable() ? data : section.name.starts_with(".init") ? init : core;
    next = align_up(next, section.alignment);
    section.address = next;
    next += section.size;
  }
}

Result<std::vector<ElfSymbol>> ElfFile::read_symbols(std::uint32_t type) const {
  std::vector<ElfSymbol> symbols;
  const auto table = std::find_if(sections_.begin(), sections_.end(),
                                  [&](const ElfSection& section) { return section.type == type; });
  if (table == sections_.end()) return symbols;
  const auto bytes = raw(*table);
  if (!bytes) return corrupt("the symbol table lies outside the file");
  if (table->link >= sections_.size()) return corrupt("the symbol table has no strings");
  const auto strings = raw(sections_[table->link]);
  if (!strings) return corrupt("the symbol names lie outside the file");
  Bytes extended;  // section indexes above 65,279
  for (const auto& section : sections_) {
    if (section.type == SHT_SYMTAB_SHNDX && section.link == table - sections_.begin()) {
      extended = raw(section).value_or(Bytes{});
    }
  }
  CheckedReader reader(*bytes);
  symbols.reserve(bytes->size() / sizeof(Elf64_Sym));
  while (reader.remaining() >= sizeof(Elf64_Sym)) {
    const auto entry = reader.read<Elf64_Sym>();
    ElfSymbol symbol;
    symbol.name = string_at(*strings, entry.st_name);
    symbol.type = symbol_type(entry.st_info);
    symbol.global = ELF64_ST_BIND(entry.st_info) != STB_LOCAL;
    symbol.size = entry.st_size;
    symbol.address = entry.st_value;
    symbol.section = entry.st_shndx;
    if (entry.st_shndx == SHN_XINDEX) {
      auto index = CheckedReader(extended).at(symbols.size() * 4, 4);
      symbol.section = index.read<std::uint32_t>();
    }
    if (symbol.section >= sections_.size()) {
      symbol.section = kNoSection;
    } else if (relocatable() && symbol.section != 0) {
      symbol.address += sections_[symbol.section].address;
    }
    symbols.push_back(symbol);
  }
  return symbols;
}

void ElfFile::read_build_id() {
  for (const auto& section : sections_) {
    if (section.type != SHT_NOTE) continue;
    const auto bytes = raw(section);
    if (!bytes) continue;
    CheckedReader reader(*bytes);
    while (reader.remaining() >= sizeof(Elf64_Nhdr)) {
      const auto note = reader.read<Elf64_Nhdr>();
      const auto name = reader.read_bytes(align_up(note.n_namesz, 4));
      const auto description = reader.read_bytes(note.n_descsz);
      if (!reader.ok()) break;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && name.starts_with("GNU") &&
          note.n_descsz <= 64) {
        build_id_ = hex(description);
        return;
      }
      const auto padding = align_up(note.n_descsz, 4) - note.n_descsz;
      reader.skip(std::min<std::uint64_t>(padding, reader.remaining()));
    }
  }
}

const ElfSection* ElfFile::section(std::string_view name) const {
  for (const auto& section : sections_) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const ElfSection* ElfFile::section_at(std::uint64_t address) const {
  for (const auto& section : sections_) {
    // Per-CPU data and thread-local storage have addresses of their own that overlap real ones.
    if (!section.loaded() || (section.flags & SHF_TLS) != 0 || section.name == ".data..percpu") continue;
    if (address >= section.address && address - section.address < section.size) return &section;
  }
  return nullptr;
}

std::optional<Bytes> ElfFile::raw(const ElfSection& section) const {
  if (section.type == SHT_NOBITS) return Bytes{};
  if (section.offset > bytes_.size() || section.size > bytes_.size() - section.offset) return std::nullopt;
  return bytes_.subspan(section.offset, section.size);
}

Result<SectionBytes> ElfFile::decompressed(const ElfSection& section) const {
  const auto bytes = raw(section);
  if (!bytes) return corrupt("section " + std::string(section.name) + " lies outside the file");
  if ((section.flags & SHF_COMPRESSED) == 0) return SectionBytes{*bytes, nullptr};
  CheckedReader reader(*bytes);
  const auto header = reader.read<Elf64_Chdr>();
  if (!reader.ok()) return corrupt("compressed section " + std::string(section.name) + " is cut short");
  auto inflated = decompress(header.ch_type, bytes->subspan(reader.offset()), header.ch_size);
  if (!inflated) return inflated.error().context("section " + std::string(section.name) + " of " + path_);
  SectionBytes result;
  result.owned = std::make_shared<std::vector<std::byte>>(std::move(*inflated));
  result.view = *result.owned;
  return result;
}

Result<SectionBytes> ElfFile::contents(const ElfSection& section) const {
  auto bytes = decompressed(section);
  if (!bytes || !relocatable()) return bytes;
  const auto index = static_cast<std::uint32_t>(&section - sections_.data());
  const bool has_relocations = std::any_of(sections_.begin(), sections_.end(), [&](const ElfSection& other) {
    return other.type == SHT_RELA && other.info == index;
  });
  if (!has_relocations) return bytes;
  if (!bytes->owned) {
    bytes->owned = std::make_shared<std::vector<std::byte>>(bytes->view.begin(), bytes->view.end());
  }
  relocate(section, *bytes->owned);
  bytes->view = *bytes->owned;
  return bytes;
}

Result<SectionBytes> ElfFile::contents(std::string_view name) const {
  const auto* found = section(name);
  if (found == nullptr) return SectionBytes{};
  return contents(*found);
}

std::vector<ElfRelocation> ElfFile::relocations(const ElfSection& section) const {
  std::vector<ElfRelocation> relocations;
  const auto index = static_cast<std::uint32_t>(&section - sections_.data());
  for (const auto& other : sections_) {
    if (other.type != SHT_RELA || other.info != index) continue;
    auto bytes = decompressed(other);
    if (!bytes) continue;
    CheckedReader reader(bytes->view);
    relocations.reserve(relocations.size() + bytes->view.size() / sizeof(Elf64_Rela));
    while (reader.remaining() >= sizeof(Elf64_Rela)) {
      const auto entry = reader.read<Elf64_Rela>();
      relocations.push_back({entry.r_offset, static_cast<std::uint32_t>(ELF64_R_SYM(entry.r_info)),
                             static_cast<std::uint32_t>(ELF64_R_TYPE(entry.r_info)), entry.r_addend});
    }
  }
  return relocations;
}

void ElfFile::relocate(const ElfSection& section, std::vector<std::byte>& bytes) const {
  const auto store = [&](std::uint64_t offset, std::uint64_t value, std::size_t width) {
    if (offset > bytes.size() || width > bytes.size() - offset) return;
    std::memcpy(bytes.data() + offset, &value, width);
  };
  for (const auto& relocation : relocations(section)) {
    if (relocation.symbol >= symbols_.size()) continue;
    const auto& symbol = symbols_[relocation.symbol];
    // An undefined symbol stays at 0: the call graph links it by name.
    const std::uint64_t target =
        (symbol.section == 0 ? 0 : symbol.address) + static_cast<std::uint64_t>(relocation.addend);
    const std::uint64_t place = section.address + relocation.offset;
    switch (relocation.type) {
      case R_X86_64_64:
        store(relocation.offset, target, 8);
        break;
      case R_X86_64_32:
      case R_X86_64_32S:
        store(relocation.offset, target, 4);
        break;
      case R_X86_64_PC32:
      case R_X86_64_PLT32:
        store(relocation.offset, target - place, 4);
        break;
      case R_X86_64_PC64:
        store(relocation.offset, target - place, 8);
        break;
      default:
        break;  // others do not occur in what is read
    }
  }
}

std::optional<std::uint64_t> ElfFile::file_offset(std::uint64_t address) const {
  for (const auto& segment : segments_) {
    if (address >= segment.address && address - segment.address < segment.file_size) {
      return segment.offset + (address - segment.address);
    }
  }
  return std::nullopt;
}

std::optional<std::string> ElfFile::debug_link() const {
  const auto* link = section(".gnu_debuglink");
  if (link == nullptr) return std::nullopt;
  const auto bytes = raw(*link);
  if (!bytes) return std::nullopt;
  CheckedReader reader(*bytes);
  const auto name = reader.read_c_string();
  if (!reader.ok() || name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(name);
}

}  // namespace hap::resolve
