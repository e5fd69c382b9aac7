// Loading the DWARF sections of a file and listing its units.
#include <dwarf.h>

#include <algorithm>

#include "resolve/dwarf_unit.h"

namespace hap::resolve {

namespace {

std::uint64_t read_offset(CheckedReader& reader, unsigned size) {
  return size == 8 ? reader.read<std::uint64_t>() : reader.read<std::uint32_t>();
}

}  // namespace

Result<DwarfSections> DwarfSections::load(const ElfFile& elf) {
  DwarfSections sections;
  struct Wanted {
    std::string_view name;
    SectionBytes* into;
  };
  for (const Wanted& wanted : {Wanted{".debug_info", &sections.info},
                               {".debug_abbrev", &sections.abbrev},
                               {".debug_line", &sections.line},
                               {".debug_str", &sections.str},
                               {".debug_line_str", &sections.line_str},
                               {".debug_ranges", &sections.ranges},
                               {".debug_rnglists", &sections.rnglists},
                               {".debug_addr", &sections.addr},
                               {".debug_str_offsets", &sections.str_offsets}}) {
    HAP_TRY(bytes, elf.contents(wanted.name));
    *wanted.into = std::move(bytes);
  }
  HAP_CHECK(sections.list_units());
  return sections;
}

Status DwarfSections::list_units() {
  std::uint64_t offset = 0;
  const Bytes bytes = info.view;
  while (offset < bytes.size()) {
    CheckedReader reader(bytes.subspan(offset));
    UnitHeader unit;
    unit.offset = offset;
    std::uint64_t length = reader.read<std::uint32_t>();
    if (length == 0xffffffff) {
      length = reader.read<std::uint64_t>();
      unit.offset_size = 8;
    }
    if (!reader.ok() || length > reader.remaining()) {
      return Error("the debug entries are cut short").of_kind(ErrorKind::corrupt);
    }
    unit.end = offset + reader.offset() + length;
    unit.version = reader.read<std::uint16_t>();
    std::uint8_t type = DW_UT_compile;
    if (unit.version >= 5) {
      type = reader.read<std::uint8_t>();
      unit.address_size = reader.read<std::uint8_t>();
      unit.abbreviations = read_offset(reader, unit.offset_size);
    } else {
      unit.abbreviations = read_offset(reader, unit.offset_size);
      unit.address_size = reader.read<std::uint8_t>();
    }
    unit.first_die = offset + reader.offset();
    const bool known = reader.ok() && unit.version >= 3 && unit.version <= 5 && unit.address_size == 8 &&
                       (type == DW_UT_compile || type == DW_UT_partial) && unit.first_die < unit.end;
    if (known) units_.push_back(unit);
    offset = unit.end;
  }
  return {};
}

std::optional<std::size_t> DwarfSections::unit_at(std::uint64_t offset) const {
  auto after =
      std::upper_bound(units_.begin(), units_.end(), offset,
                       [](std::uint64_t value, const UnitHeader& unit) { return value < unit.offset; });
  if (after == units_.begin()) return std::nullopt;
  --after;
  if (offset >= after->end) return std::nullopt;
  return after - units_.begin();
}

}  // namespace hap::resolve
