#include "resolve/index_tables.h"

#include <algorithm>
#include <string>

namespace hap::resolve {

namespace {

Error wrong(const std::string& what) {
  return Error("the symbol index is damaged: " + what);
}

template <typename T>
bool map_table(std::span<const std::byte> bytes, const TableEntry& entry, std::span<const T>& out) {
  if (entry.offset % 8 != 0 || entry.offset < sizeof(FileHeader) || entry.offset > bytes.size()) return false;
  if (entry.count > (bytes.size() - entry.offset) / sizeof(T) || entry.count >= kNone) return false;
  out = {reinterpret_cast<const T*>(bytes.data() + entry.offset), static_cast<std::size_t>(entry.count)};
  return true;
}

template <std::size_t N>
bool terminated(const std::array<char, N>& text) {
  return std::find(text.begin(), text.end(), '\0') != text.end();
}

bool ascending(std::span<const RowEntry> rows, std::size_t values) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && rows[i].address <= rows[i - 1].address) return false;
    if (rows[i].value != kNone && rows[i].value >= values) return false;
  }
  return true;
}

bool below(std::span<const std::uint32_t> numbers, std::size_t limit) {
  return std::all_of(numbers.begin(), numbers.end(), [&](std::uint32_t number) { return number < limit; });
}

}  // namespace

Result<IndexTables> IndexTables::check(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(kIndexMagic) ||
      !std::equal(kIndexMagic.begin(), kIndexMagic.end(), reinterpret_cast<const char*>(bytes.data()))) {
    return Error("not a symbol index");
  }
  if (bytes.size() < sizeof(FileHeader)) return Error("the symbol index is cut short");
  IndexTables tables;
  tables.header = reinterpret_cast<const FileHeader*>(bytes.data());
  if (tables.header->version != kIndexVersion) {
    return Error("the symbol index has version " + std::to_string(tables.header->version) +
                 ", this program reads version " + std::to_string(kIndexVersion));
  }
  if (tables.header->file_size != bytes.size()) return Error("the symbol index is cut short");
  HAP_CHECK(tables.map_tables(bytes));
  HAP_CHECK(tables.check_texts());
  HAP_CHECK(tables.check_rows());
  HAP_CHECK(tables.check_functions());
  HAP_CHECK(tables.check_orders());
  return tables;
}

Status IndexTables::map_tables(std::span<const std::byte> bytes) {
  const auto& at = header->tables;
  const bool mapped = map_table(bytes, at[kStrings], strings) && map_table(bytes, at[kFiles], files) &&
                      map_table(bytes, at[kLines], lines) && map_table(bytes, at[kLineRows], line_rows) &&
                      map_table(bytes, at[kNodes], nodes) && map_table(bytes, at[kSegments], segments) &&
                      map_table(bytes, at[kFunctions], functions) &&
                      map_table(bytes, at[kFunctionsByName], functions_by_name) &&
                      map_table(bytes, at[kRanges], ranges) && map_table(bytes, at[kSymbols], symbols) &&
                      map_table(bytes, at[kSymbolsByName], symbols_by_name) &&
                      map_table(bytes, at[kSections], sections) && map_table(bytes, at[kCallees], callees) &&
                      map_table(bytes, at[kImports], imports) && map_table(bytes, at[kSyscalls], syscalls);
  if (!mapped) return wrong("a table lies outside the file");
  if (header->kind > 3) return wrong("unknown kind of image");  // kernel, module, user, hypervisor
  if (!terminated(header->build_id) || !terminated(header->image_name)) return wrong("header text");
  return {};
}

Status IndexTables::check_texts() const {
  if (strings.empty() || strings.back() != '\0' || strings.front() != '\0') return wrong("strings");
  const auto text_ok = [&](std::uint32_t offset) { return offset < strings.size(); };
  if (!below(files, strings.size()) || !below(imports, strings.size())) return wrong("a name");
  for (const auto& symbol : symbols) {
    if (!text_ok(symbol.name)) return wrong("a symbol's name");
  }
  for (const auto& section : sections) {
    if (!text_ok(section.name)) return wrong("a section's name");
  }
  return {};
}

Status IndexTables::check_rows() const {
  for (const auto& line : lines) {
    if (line.file >= files.size()) return wrong("a line's file");
  }
  if (!ascending(line_rows, lines.size())) return wrong("line rows");
  if (!ascending(segments, nodes.size())) return wrong("scopes");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& node = nodes[i];
    // Parents come first, so that every chain of parents ends.
    if (node.function >= functions.size() || (node.parent != kNone && node.parent >= i) ||
        (node.call_line != kNone && node.call_line >= lines.size())) {
      return wrong("an inlined call");
    }
  }
  return {};
}

Status IndexTables::check_functions() const {
  const FunctionEntry none;
  const FunctionEntry* last = &none;
  for (const auto& function : functions) {
    if (function.name >= strings.size() || function.symbol >= strings.size() ||
        (function.file != kNone && function.file >= files.size())) {
      return wrong("a function");
    }
    if (function.first_range < last->first_range || function.first_range > ranges.size() ||
        function.first_callee < last->first_callee || function.first_callee > callees.size() ||
        function.first_import < last->first_import || function.first_import > imports.size()) {
      return wrong("a function's lists");
    }
    last = &function;
  }
  if (!below(callees, functions.size())) return wrong("a call");
  for (const auto& syscall : syscalls) {
    if (syscall.function >= functions.size()) return wrong("a system call");
  }
  return {};
}

Status IndexTables::check_orders() const {
  if (functions_by_name.size() != functions.size() || !below(functions_by_name, functions.size()) ||
      symbols_by_name.size() != symbols.size() || !below(symbols_by_name, symbols.size())) {
    return wrong("an order by name");
  }
  return {};
}

std::size_t IndexTables::row_before(std::span<const RowEntry> rows, std::uint64_t distance) {
  const auto after =
      std::upper_bound(rows.begin(), rows.end(), distance,
                       [](std::uint64_t value, const RowEntry& row) { return value < row.address; });
  return static_cast<std::size_t>(after - rows.begin());
}

}  // namespace hap::resolve
