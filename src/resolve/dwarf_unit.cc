#include "resolve/dwarf_unit.h"

#include <dwarf.h>

namespace hap::resolve {

namespace {

// GCC numbers abbreviations densely from 1; a hostile code must not make the table huge.
constexpr std::uint64_t kMaxAbbreviation = 1u << 20;
// Range lists of one entry; more is damage.
constexpr std::size_t kMaxRanges = 1u << 16;

// Size of a form's value when it is the same in every entry of the unit, else -1.
int fixed_form_size(std::uint16_t form, const UnitHeader& unit) {
  switch (form) {
    case DW_FORM_flag_present:
    case DW_FORM_implicit_const:
      return 0;
    case DW_FORM_data1:
    case DW_FORM_ref1:
    case DW_FORM_flag:
    case DW_FORM_strx1:
    case DW_FORM_addrx1:
      return 1;
    case DW_FORM_data2:
    case DW_FORM_ref2:
    case DW_FORM_strx2:
    case DW_FORM_addrx2:
      return 2;
    case DW_FORM_strx3:
    case DW_FORM_addrx3:
      return 3;
    case DW_FORM_data4:
    case DW_FORM_ref4:
    case DW_FORM_strx4:
    case DW_FORM_addrx4:
    case DW_FORM_ref_sup4:
      return 4;
    case DW_FORM_data8:
    case DW_FORM_ref8:
    case DW_FORM_ref_sig8:
    case DW_FORM_ref_sup8:
      return 8;
    case DW_FORM_data16:
      return 16;
    case DW_FORM_addr:
      return unit.address_size;
    case DW_FORM_strp:
    case DW_FORM_line_strp:
    case DW_FORM_sec_offset:
    case DW_FORM_strp_sup:
    case DW_FORM_GNU_strp_alt:
    case DW_FORM_GNU_ref_alt:
      return unit.offset_size;
    case DW_FORM_ref_addr:
      return unit.version <= 2 ? unit.address_size : unit.offset_size;
    default:
      return -1;
  }
}

std::uint64_t read_unsigned(CheckedReader& reader, int size) {
  switch (size) {
    case 1:
      return reader.read<std::uint8_t>();
    case 2:
      return reader.read<std::uint16_t>();
    case 3: {
      const std::uint64_t low = reader.read<std::uint16_t>();
      return low | std::uint64_t{reader.read<std::uint8_t>()} << 16;
    }
    case 4:
      return reader.read<std::uint32_t>();
    case 8:
      return reader.read<std::uint64_t>();
    default:
      reader.skip(size);
      return 0;
  }
}

std::int64_t read_sleb128(CheckedReader& reader) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = reader.read<std::uint8_t>();
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) {
      if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
      return static_cast<std::int64_t>(value);
    }
  }
  reader.skip(reader.remaining() + 1);  // more than 64 bits: fail
  return 0;
}

std::string_view string_at(Bytes table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const auto* start = reinterpret_cast<const char*>(table.data()) + offset;
  return {start, strnlen(start, table.size() - offset)};
}

FormValue* slot(Die& die, std::uint16_t attribute) {
  switch (attribute) {
    case DW_AT_name:
      return &die.name;
    case DW_AT_linkage_name:
    case DW_AT_MIPS_linkage_name:
      return &die.linkage_name;
    case DW_AT_decl_file:
      return &die.decl_file;
    case DW_AT_decl_line:
      return &die.decl_line;
    case DW_AT_low_pc:
      return &die.low_pc;
    case DW_AT_high_pc:
      return &die.high_pc;
    case DW_AT_ranges:
      return &die.ranges;
    case DW_AT_abstract_origin:
      return &die.abstract_origin;
    case DW_AT_specification:
      return &die.specification;
    case DW_AT_call_file:
      return &die.call_file;
    case DW_AT_call_line:
      return &die.call_line;
    case DW_AT_sibling:
      return &die.sibling;
    case DW_AT_noreturn:
      return &die.noreturn;
    case DW_AT_stmt_list:
      return &die.stmt_list;
    case DW_AT_comp_dir:
      return &die.comp_dir;
    case DW_AT_language:
      return &die.language;
    case DW_AT_addr_base:
      return &die.addr_base;
    case DW_AT_str_offsets_base:
      return &die.str_offsets_base;
    case DW_AT_rnglists_base:
      return &die.rnglists_base;
    default:
      return nullptr;
  }
}

}  // namespace

bool is_scope_tag(std::uint16_t tag) {
  switch (tag) {
    case DW_TAG_compile_unit:
    case DW_TAG_partial_unit:
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
      return true;
    default:
      return false;
  }
}

Result<Unit> Unit::open(const DwarfSections& sections, std::size_t index) {
  Unit unit(sections, index);
  HAP_CHECK(unit.read_abbreviations());
  if (!unit.read_die(unit.header_->first_die, unit.root_)) {
    return Error("a compilation unit has no readable entry").of_kind(ErrorKind::corrupt);
  }
  unit.base_address_ = unit.address(unit.root_.low_pc).value_or(0);
  return unit;
}

Status Unit::read_abbreviations() {
  const Error damaged = Error("the abbreviation table is damaged").of_kind(ErrorKind::corrupt);
  const Bytes bytes = sections_->abbrev.view;
  if (header_->abbreviations > bytes.size()) return damaged;
  CheckedReader reader(bytes.subspan(header_->abbreviations));
  while (true) {
    const std::uint64_t code = reader.read_uleb128();
    if (!reader.ok() || code > kMaxAbbreviation) return damaged;
    if (code == 0) return {};
    if (code >= abbreviations_.size()) abbreviations_.resize(code + 1);
    Abbreviation& entry = abbreviations_[code];
    entry = {};
    entry.tag = static_cast<std::uint16_t>(reader.read_uleb128());
    entry.children = reader.read<std::uint8_t>() != 0;
    entry.fixed_size = 0;
    while (true) {
      Abbreviation::Attribute attribute;
      attribute.name = static_cast<std::uint16_t>(reader.read_uleb128());
      attribute.form = static_cast<std::uint16_t>(reader.read_uleb128());
      if (attribute.form == DW_FORM_implicit_const) attribute.implicit = read_sleb128(reader);
      if (!reader.ok()) return damaged;
      if (attribute.name == 0 && attribute.form == 0) break;
      const int size = fixed_form_size(attribute.form, *header_);
      if (size < 0) {
        entry.fixed_size = -1;
      } else if (entry.fixed_size >= 0) {
        entry.fixed_size += size;
      }
      entry.attributes.push_back(attribute);
    }
  }
}

bool Unit::read_form(CheckedReader& reader, std::uint16_t form, std::int64_t implicit,
                     FormValue& value) const {
  value.form = form;
  switch (form) {
    case DW_FORM_flag_present:
      value.value = 1;
      return true;
    case DW_FORM_implicit_const:
      value.value = static_cast<std::uint64_t>(implicit);
      return true;
    case DW_FORM_sdata:
      value.value = static_cast<std::uint64_t>(read_sleb128(reader));
      return reader.ok();
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
    case DW_FORM_strx:
    case DW_FORM_addrx:
    case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
    case DW_FORM_GNU_addr_index:
    case DW_FORM_GNU_str_index:
      value.value = reader.read_uleb128();
      return reader.ok();
    case DW_FORM_string:
      value.text = reader.read_c_string();
      return reader.ok();
    case DW_FORM_exprloc:
    case DW_FORM_block:
      reader.skip(reader.read_uleb128());
      return reader.ok();
    case DW_FORM_block1:
      reader.skip(reader.read<std::uint8_t>());
      return reader.ok();
    case DW_FORM_block2:
      reader.skip(reader.read<std::uint16_t>());
      return reader.ok();
    case DW_FORM_block4:
      reader.skip(reader.read<std::uint32_t>());
      return reader.ok();
    case DW_FORM_indirect: {
      const auto actual = static_cast<std::uint16_t>(reader.read_uleb128());
      // Nested indirection and a constant without a place are meaningless.
      if (actual == DW_FORM_indirect || actual == DW_FORM_implicit_const) return false;
      return read_form(reader, actual, 0, value);
    }
    default: {
      const int size = fixed_form_size(form, *header_);
      if (size < 0) return false;
      value.value = read_unsigned(reader, size);
      return reader.ok();
    }
  }
}

bool Unit::read_die(std::uint64_t offset, Die& die) const {
  die = {};
  die.offset = offset;
  if (offset < header_->first_die || offset >= header_->end) return false;
  CheckedReader reader(sections_->info.view.subspan(offset, header_->end - offset));
  const std::uint64_t code = reader.read_uleb128();
  if (!reader.ok()) return false;
  if (code == 0) {
    die.next = offset + reader.offset();
    return true;
  }
  if (code >= abbreviations_.size() || abbreviations_[code].tag == 0) return false;
  const Abbreviation& entry = abbreviations_[code];
  die.tag = entry.tag;
  die.children = entry.children;
  const bool interesting = is_scope_tag(entry.tag);
  if (!interesting && !entry.children && entry.fixed_size >= 0) {
    reader.skip(static_cast<std::size_t>(entry.fixed_size));
  } else {
    FormValue unused;
    for (const auto& attribute : entry.attributes) {
      FormValue* into = slot(die, attribute.name);
      if (into == nullptr) into = &unused;
      if (!read_form(reader, attribute.form, attribute.implicit, *into)) return false;
    }
  }
  die.next = offset + reader.offset();
  return reader.ok();
}

std::string_view Unit::text(const FormValue& value) const {
  switch (value.form) {
    case DW_FORM_string:
      return value.text;
    case DW_FORM_strp:
      return string_at(sections_->str.view, value.value);
    case DW_FORM_line_strp:
      return string_at(sections_->line_str.view, value.value);
    case DW_FORM_strx:
    case DW_FORM_strx1:
    case DW_FORM_strx2:
    case DW_FORM_strx3:
    case DW_FORM_strx4: {
      // Without an explicit base the table starts behind its header of 8 (16) bytes.
      const std::uint64_t base =
          root_.str_offsets_base.present() ? root_.str_offsets_base.value : header_->offset_size * 2u;
      if (value.value > sections_->str_offsets.view.size()) return {};
      auto entry = CheckedReader(sections_->str_offsets.view)
                       .at(base + value.value * header_->offset_size, header_->offset_size);
      const auto offset = read_unsigned(entry, header_->offset_size);
      return entry.ok() ? string_at(sections_->str.view, offset) : std::string_view{};
    }
    default:
      return {};
  }
}

std::optional<std::uint64_t> Unit::indexed_address(std::uint64_t index) const {
  if (index > sections_->addr.view.size()) return std::nullopt;
  const std::uint64_t base = root_.addr_base.present() ? root_.addr_base.value : 8;
  auto entry = CheckedReader(sections_->addr.view).at(base + index * 8, 8);
  const auto address = entry.read<std::uint64_t>();
  if (!entry.ok()) return std::nullopt;
  return address;
}

std::optional<std::uint64_t> Unit::address(const FormValue& value) const {
  switch (value.form) {
    case DW_FORM_addr:
      return value.value;
    case DW_FORM_addrx:
    case DW_FORM_addrx1:
    case DW_FORM_addrx2:
    case DW_FORM_addrx3:
    case DW_FORM_addrx4:
      return indexed_address(value.value);
    default:
      return std::nullopt;
  }
}

std::optional<std::uint64_t> Unit::reference(const FormValue& value) const {
  switch (value.form) {
    case DW_FORM_ref1:
    case DW_FORM_ref2:
    case DW_FORM_ref4:
    case DW_FORM_ref8:
    case DW_FORM_ref_udata:
      if (value.value >= header_->end - header_->offset) return std::nullopt;
      return header_->offset + value.value;
    case DW_FORM_ref_addr:
      return value.value;
    default:
      return std::nullopt;
  }
}

bool Unit::code_ranges(const Die& die, std::vector<AddressRange>& out) const {
  out.clear();
  if (die.ranges.present()) {
    if (header_->version < 5) return ranges4(die.ranges.value, out);
    if (die.ranges.form != DW_FORM_rnglistx) return rnglist(die.ranges.value, out);
    const std::uint64_t base = root_.rnglists_base.value;
    if (!root_.rnglists_base.present() || die.ranges.value > sections_->rnglists.view.size()) return false;
    auto entry = CheckedReader(sections_->rnglists.view)
                     .at(base + die.ranges.value * header_->offset_size, header_->offset_size);
    const std::uint64_t offset = read_unsigned(entry, header_->offset_size);
    return entry.ok() && rnglist(base + offset, out);
  }
  const auto low = address(die.low_pc);
  if (!low || !die.high_pc.present()) return true;
  const auto high = address(die.high_pc);
  const std::uint64_t end = high ? *high : *low + die.high_pc.value;
  if (end > *low) out.push_back({*low, end});
  return true;
}

bool Unit::rnglist(std::uint64_t offset, std::vector<AddressRange>& out) const {
  if (offset > sections_->rnglists.view.size()) return false;
  CheckedReader reader(sections_->rnglists.view.subspan(offset));
  std::uint64_t base = base_address_;
  while (out.size() < kMaxRanges) {
    const auto kind = reader.read<std::uint8_t>();
    if (!reader.ok()) return false;
    AddressRange range;
    switch (kind) {
      case DW_RLE_end_of_list:
        return true;
      case DW_RLE_base_addressx: {
        const auto address = indexed_address(reader.read_uleb128());
        if (!address) return false;
        base = *address;
        continue;
      }
      case DW_RLE_startx_endx: {
        const auto begin = indexed_address(reader.read_uleb128());
        const auto end = indexed_address(reader.read_uleb128());
        if (!begin || !end) return false;
        range = {*begin, *end};
        break;
      }
      case DW_RLE_startx_length: {
        const auto begin = indexed_address(reader.read_uleb128());
        if (!begin) return false;
        range = {*begin, *begin + reader.read_uleb128()};
        break;
      }
      case DW_RLE_offset_pair: {
        range.begin = base + reader.read_uleb128();
        range.end = base + reader.read_uleb128();
        break;
      }
      case DW_RLE_base_address:
        base = reader.read<std::uint64_t>();
        continue;
      case DW_RLE_start_end: {
        range.begin = reader.read<std::uint64_t>();
        range.end = reader.read<std::uint64_t>();
        break;
      }
      case DW_RLE_start_length: {
        range.begin = reader.read<std::uint64_t>();
        range.end = range.begin + reader.read_uleb128();
        break;
      }
      default:
        return false;
    }
    if (!reader.ok()) return false;
    if (range.end > range.begin) out.push_back(range);
  }
  return false;
}

bool Unit::ranges4(std::uint64_t offset, std::vector<AddressRange>& out) const {
  if (offset > sections_->ranges.view.size()) return false;
  CheckedReader reader(sections_->ranges.view.subspan(offset));
  std::uint64_t base = base_address_;
  while (out.size() < kMaxRanges) {
    const auto begin = reader.read<std::uint64_t>();
    const auto end = reader.read<std::uint64_t>();
    if (!reader.ok()) return false;
    if (begin == 0 && end == 0) return true;
    if (begin == ~std::uint64_t{0}) {
      base = end;
    } else if (end > begin) {
      out.push_back({base + begin, base + end});
    }
  }
  return false;
}

}  // namespace hap::resolve
