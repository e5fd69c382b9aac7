// DWARF 4 and 5 debugging entries, as far as functions, scopes and lines need them.
//
// A reader of its own instead of libdw: one pass over .debug_info that keeps nothing but what the index
// needs, safe to run on several units at once, with every read checked (the file is untrusted). Reference:
// DWARF Debugging Information Format version 5, sections 2, 3 and 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/checked_reader.h"
#include "hap/result.h"
#include "resolve/elf_file.h"

namespace hap::resolve {

struct AddressRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct UnitHeader {
  std::uint64_t offset = 0;     // of the unit in .debug_info
  std::uint64_t end = 0;        // first byte behind it
  std::uint64_t first_die = 0;  // offset of the unit's own entry
  std::uint64_t abbreviations = 0;
  std::uint16_t version = 0;
  std::uint8_t address_size = 8;
  std::uint8_t offset_size = 4;
};

// All DWARF sections of a file, decompressed and relocated, and the list of its units.
class DwarfSections {
 public:
  // A file without .debug_info gives no units. Type units, skeleton units and unknown versions are skipped.
  static Result<DwarfSections> load(const ElfFile& elf);

  const std::vector<UnitHeader>& units() const { return units_; }
  // The unit that contains this offset of .debug_info; nothing when none does.
  std::optional<std::size_t> unit_at(std::uint64_t offset) const;

  SectionBytes info, abbrev, line, str, line_str, ranges, rnglists, addr, str_offsets;

 private:
  Status list_units();
  std::vector<UnitHeader> units_;
};

struct Abbreviation {
  struct Attribute {
    std::uint16_t name = 0;
    std::uint16_t form = 0;
    std::int64_t implicit = 0;
  };
  std::uint16_t tag = 0;  // 0: not defined
  bool children = false;
  std::int32_t fixed_size = -1;  // bytes of all attributes when that does not depend on the entry
  std::vector<Attribute> attributes;
};

// An attribute's value, not yet looked up.
struct FormValue {
  std::uint16_t form = 0;  // 0: absent
  std::uint64_t value = 0;
  std::string_view text;  // for DW_FORM_string
  bool present() const { return form != 0; }
};

// The attributes of one entry that matter here.
struct Die {
  std::uint64_t offset = 0;
  std::uint64_t next = 0;  // offset behind its attributes
  std::uint16_t tag = 0;   // 0: end of a list of children
  bool children = false;
  FormValue name, linkage_name, decl_file, decl_line, low_pc, high_pc, ranges, abstract_origin, specification,
      call_file, call_line, sibling, noreturn, stmt_list, comp_dir, language, addr_base, str_offsets_base,
      rnglists_base;
};

// Reads the entries of one unit. Cheap to keep; not to be shared by threads.
class Unit {
 public:
  static Result<Unit> open(const DwarfSections& sections, std::size_t index);

  const UnitHeader& header() const { return *header_; }
  std::size_t index() const { return index_; }
  const Die& root() const { return root_; }

  // The entry at an offset of .debug_info; false when it is damaged.
  bool read_die(std::uint64_t offset, Die& die) const;

  std::string_view text(const FormValue& value) const;
  std::optional<std::uint64_t> address(const FormValue& value) const;
  // Offset in .debug_info that a reference points to.
  std::optional<std::uint64_t> reference(const FormValue& value) const;
  // [low_pc, high_pc) or the range list, empty ranges left out. False when the list is damaged.
  bool code_ranges(const Die& die, std::vector<AddressRange>& out) const;

 private:
  Unit(const DwarfSections& sections, std::size_t index)
      : sections_(&sections), header_(&sections.units()[index]), index_(index) {}
  Status read_abbreviations();
  bool read_form(CheckedReader& reader, std::uint16_t form, std::int64_t implicit, FormValue& value) const;
  std::optional<std::uint64_t> indexed_address(std::uint64_t index) const;
  bool rnglist(std::uint64_t offset, std::vector<AddressRange>& out) const;
  bool ranges4(std::uint64_t offset, std::vector<AddressRange>& out) const;

  const DwarfSections* sections_;
  const UnitHeader* header_;
  std::size_t index_;
  std::vector<Abbreviation> abbreviations_;  // by code
  Die root_;
  std::uint64_t base_address_ = 0;
};

// True for the tags that can hold functions or scopes.
bool is_scope_tag(std::uint16_t tag);

}  // namespace hap::resolve
