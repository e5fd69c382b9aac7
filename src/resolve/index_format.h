// The index file: <cache>/index/<build-id>.hapidx, little-endian, memory-mapped.
//
//   FileHeader
//   table 0 .. kTableCount-1    arrays of the structs below, each 8-byte aligned, in this order
//
// Addresses are stored as 32-bit distances from FileHeader::base. Every reader checks all offsets, counts and
// numbers when it opens the file (index_file.cc); the digest covers everything behind the header and is
// checked on demand. A change of meaning or layout raises kIndexVersion: old files are built anew.
#pragma once

#include <array>
#include <cstdint>

namespace hap::resolve {

inline constexpr std::array<char, 8> kIndexMagic{'H', 'A', 'P', 'I', 'D', 'X', '\r', '\n'};
inline constexpr std::uint32_t kIndexVersion = 1;

enum TableId : std::uint32_t {
  kStrings,          // char: NUL-terminated strings; offset 0 is ""
  kFiles,            // u32: path, offset in strings
  kLines,            // LineEntry, ascending by (file, line)
  kLineRows,         // RowEntry, ascending by address
  kNodes,            // NodeEntry; a parent precedes its children
  kSegments,         // RowEntry: address -> node, ascending by address
  kFunctions,        // FunctionEntry
  kFunctionsByName,  // u32: function numbers, ascending by (name, number)
  kRanges,           // RangeEntry, those of a function together
  kSymbols,          // SymbolEntry, ascending by address
  kSymbolsByName,    // u32: symbol numbers, ascending by (name, address)
  kSections,         // SectionEntry: executable sections
  kCallees,          // u32: function numbers, those of a caller together
  kImports,          // u32: names, offsets in strings, those of a caller together
  kSyscalls,         // SyscallEntry, ascending by number
  kTableCount
};

struct TableEntry {
  std::uint64_t offset = 0;  // from the start of the file
  std::uint64_t count = 0;   // elements
};

struct FileHeader {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t kind = 0;  // ImageKind
  std::uint64_t file_size = 0;
  std::uint64_t base = 0;
  std::array<char, 136> build_id{};  // NUL-terminated
  std::array<char, 64> image_name{};
  std::array<char, 64> digest{};  // SHA-256 in hexadecimal of all bytes behind the header
  std::uint64_t inline_instances = 0;
  std::uint64_t build_milliseconds = 0;
  std::array<TableEntry, kTableCount> tables{};
};

struct LineEntry {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
};

// Valid from `address` to the next entry's; `value` kNone marks a hole.
struct RowEntry {
  std::uint32_t address = 0;
  std::uint32_t value = 0;
};

struct NodeEntry {
  std::uint32_t function = 0;
  std::uint32_t parent = 0;     // kNone: out-of-line function
  std::uint32_t call_line = 0;  // number in kLines, or kNone
};

enum FunctionFlags : std::uint32_t { kOutOfLine = 1, kInlined = 2, kAssembly = 4 };

struct FunctionEntry {
  std::uint32_t name = 0;
  std::uint32_t symbol = 0;
  std::uint32_t file = 0;  // or kNone
  std::uint32_t line = 0;
  std::uint32_t end_line = 0;
  std::uint32_t size = 0;
  std::uint32_t complexity = 0;  // 0: unknown
  std::uint32_t flags = 0;
  std::uint32_t first_range = 0;  // up to that of the next function; likewise below
  std::uint32_t first_callee = 0;
  std::uint32_t first_import = 0;
};

struct RangeEntry {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct SymbolEntry {
  std::uint32_t name = 0;
  std::uint32_t address = 0;
  std::uint32_t size = 0;
};

struct SectionEntry {
  std::uint32_t name = 0;
  std::uint32_t address = 0;
  std::uint32_t size = 0;
};

struct SyscallEntry {
  std::uint32_t number = 0;
  std::uint32_t function = 0;
};

}  // namespace hap::resolve
