// DWARF line programs (versions 2 to 5): which address belongs to which file and line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hap/result.h"
#include "resolve/dwarf_unit.h"

namespace hap::resolve {

// One row: valid from its address to that of the next; `end` closes a sequence.
struct LineRow {
  std::uint64_t address = 0;
  std::uint32_t file = 0;  // index into LineTable::files
  std::uint32_t line = 0;  // 0: the compiler's own code, no line
  bool end = false;
};

struct SourceName {
  std::string_view directory;  // may be relative to the compilation directory, or empty
  std::string_view name;
};

struct LineTable {
  std::vector<SourceName> files;  // indexed as DW_AT_decl_file and the rows do, whatever the version
  std::vector<LineRow> rows;      // in program order: ascending within a sequence
};

// `unit` gives the offset (DW_AT_stmt_list) and the name that file 0 has before version 5. A unit without a
// line program gives an empty table.
Result<LineTable> read_line_table(const DwarfSections& sections, const Unit& unit);

}  // namespace hap::resolve
