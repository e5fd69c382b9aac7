// The code of an image ready to be written: the facts of the debug information completed by the symbol table,
// in image addresses, numbered as in the index.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "hap/resolver.h"
#include "resolve/elf_file.h"
#include "resolve/source_facts.h"

namespace hap::resolve {

// A function as the linker knows it, before it is folded into a source function.
struct LinkedSymbol {
  std::string_view name;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  bool function = false;  // STT_FUNC
  bool global = false;
};

struct ModelFunction {
  std::string_view name;
  std::string_view symbol;
  std::uint32_t file = kNone;
  std::uint32_t line = 0;
  std::uint32_t end_line = 0;
  std::uint64_t size = 0;
  std::uint32_t complexity = 0;
  bool out_of_line = false;
  bool inlined = false;
  bool assembly = false;
  bool noreturn = false;
  std::vector<CodeRange> ranges;       // ascending, disjoint
  std::vector<std::uint32_t> callees;  // ascending
  std::vector<std::string_view> imports;
};

struct CodeModel {
  ImageKind kind = ImageKind::user;
  std::string build_id;
  std::string image_name;
  std::uint64_t base = 0;
  std::vector<std::string> files;
  std::vector<ModelFunction> functions;
  std::vector<ScopeNode> nodes;                                   // a parent precedes its children
  std::vector<ScopeSegment> segments;                             // ascending, disjoint
  std::vector<LineSegment> lines;                                 // ascending, disjoint
  std::vector<LinkedSymbol> symbols;                              // code symbols, ascending by address
  std::vector<SectionView> sections;                              // executable
  std::vector<std::pair<std::uint32_t, std::uint32_t>> syscalls;  // number, function
  std::deque<std::string> made_names;                             // storage of names that no section holds
  std::uint64_t inline_instances = 0;

  // The out-of-line function whose code covers the address, or kNone.
  std::uint32_t function_at(std::uint64_t address) const;
};

// A function that neither debug information nor symbols know.
struct FoundFunction {
  std::string name;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// Completes the facts. `symbols` are the code symbols of the file; `found` come from .gopclntab or .eh_frame
// and fill what is left.
CodeModel make_model(SourceFacts&& facts, std::vector<LinkedSymbol> symbols, std::vector<FoundFunction> found,
                     const std::string& build_id);

// "foo.isra.0.cold" -> "foo": the source function that a compiler's clone came from.
std::string_view base_of_clone(std::string_view symbol);

}  // namespace hap::resolve
