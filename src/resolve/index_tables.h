// The tables of a mapped index, after every offset, count and number in them was checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "hap/result.h"
#include "resolve/index_format.h"
#include "resolve/source_facts.h"

namespace hap::resolve {

struct IndexTables {
  // Errors name the first thing that is wrong. `bytes` must be 8-byte aligned and outlive the tables.
  static Result<IndexTables> check(std::span<const std::byte> bytes);

  const FileHeader* header = nullptr;
  std::span<const char> strings;
  std::span<const std::uint32_t> files;
  std::span<const LineEntry> lines;
  std::span<const RowEntry> line_rows;
  std::span<const NodeEntry> nodes;
  std::span<const RowEntry> segments;
  std::span<const FunctionEntry> functions;
  std::span<const std::uint32_t> functions_by_name;
  std::span<const RangeEntry> ranges;
  std::span<const SymbolEntry> symbols;
  std::span<const std::uint32_t> symbols_by_name;
  std::span<const SectionEntry> sections;
  std::span<const std::uint32_t> callees;
  std::span<const std::uint32_t> imports;
  std::span<const SyscallEntry> syscalls;

  std::string_view text(std::uint32_t offset) const { return strings.data() + offset; }

  // Rows are addressed by "number + 1" so that 0 can stand for the space before the first.
  static std::size_t row_before(std::span<const RowEntry> rows, std::uint64_t distance);
  static std::uint32_t row_value(std::span<const RowEntry> rows, std::size_t row) {
    return row == 0 ? kNone : rows[row - 1].value;
  }
  static std::uint64_t row_end(std::span<const RowEntry> rows, std::size_t row) {
    return row < rows.size() ? rows[row].address : std::uint64_t{kNone};
  }

  template <typename T>
  std::span<const T> of_function(std::uint32_t id, std::span<const T> all,
                                 std::uint32_t FunctionEntry::*first) const {
    if (id >= functions.size()) return {};
    const std::uint32_t begin = functions[id].*first;
    const std::size_t end = id + 1 < functions.size() ? functions[id + 1].*first : all.size();
    return all.subspan(begin, end - begin);
  }

 private:
  Status map_tables(std::span<const std::byte> bytes);
  Status check_texts() const;
  Status check_rows() const;
  Status check_functions() const;
  Status check_orders() const;
};

}  // namespace hap::resolve
