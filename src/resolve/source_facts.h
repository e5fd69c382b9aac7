// What the debug information says about the code, before it becomes an index.
//
// A run of consecutive units is read into one SourceFacts (one thread works on one at a time); `merge` joins
// them in the order of the file, so the result does not depend on the number of threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hap/result.h"
#include "resolve/dwarf_unit.h"

namespace hap::resolve {

inline constexpr std::uint32_t kNone = 0xffffffff;

// Identity of a source function. Views point into the debug sections, which must outlive the facts.
struct FunctionKey {
  std::string_view name;
  std::string_view linkage;  // C++ and Rust: mangled name; empty in C
  std::uint32_t file = kNone;
  std::uint32_t line = 0;
  friend bool operator==(const FunctionKey&, const FunctionKey&) = default;
};

struct FunctionKeyHash {
  std::size_t operator()(const FunctionKey& key) const;
};

struct FunctionFact {
  FunctionKey key;
  bool noreturn = false;
  bool assembly = false;
};

// A function's code or an inlined call: node of the tree of scopes.
struct ScopeNode {
  std::uint32_t function = kNone;
  std::uint32_t parent = kNone;  // kNone: the out-of-line function itself
  std::uint32_t call_file = kNone;
  std::uint32_t call_line = 0;
};

// [begin, end) whose innermost scope is `node`.
struct ScopeSegment {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t node = kNone;
};

// [begin, end) that came from file:line.
struct LineSegment {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t file = kNone;
  std::uint32_t line = 0;
};

// Machine code of an out-of-line copy of a function.
struct CodeFact {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t function = kNone;
};

class SourceFacts {
 public:
  std::vector<std::string> files;
  std::vector<FunctionFact> functions;
  std::vector<ScopeNode> nodes;
  std::vector<ScopeSegment> scopes;
  std::vector<LineSegment> lines;
  std::vector<CodeFact> code;
  std::uint64_t damaged_units = 0;

  std::uint32_t intern_file(const std::string& path);
  std::uint32_t intern_function(const FunctionFact& fact);
  // Appends another's facts with their numbers translated.
  void merge(SourceFacts&& other);

 private:
  std::unordered_map<std::string, std::uint32_t> file_ids_;
  std::unordered_map<FunctionKey, std::uint32_t, FunctionKeyHash> function_ids_;
};

// "a/./b/../c" -> "a/c"; `directory` is put before a relative name, `base` before a relative directory.
std::string join_source_path(std::string_view base, std::string_view directory, std::string_view name);

}  // namespace hap::resolve
