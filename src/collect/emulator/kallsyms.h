// The kernel's own symbol table, as /proc/kallsyms prints it: "address type name [module]" per line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hap/result.h"

namespace hap::collect {

struct KernelSymbol {
  uint64_t address = 0;
  std::string name;
  std::string module;  // empty: the kernel itself
  char type = 0;       // as nm(1) prints it: t and T are code
};

struct SymbolRange {
  uint64_t begin = 0;
  uint64_t end = 0;  // where the next symbol starts
};

class Kallsyms {
 public:
  // Errors: `corrupt` on a line of another form; `unsupported` when all addresses read as zero, which is what
  // the kernel shows to those who may not know them.
  static Result<Kallsyms> parse(std::string_view text);

  // The address of the first symbol with exactly this name.
  std::optional<uint64_t> address(std::string_view name) const;

  // All functions of this name, with the clones the compiler made of it (NAME.constprop.0, NAME.isra.0) but
  // not their split-off parts (.cold, .part).
  std::vector<SymbolRange> functions(std::string_view name) const;

  // Where the function begins that `address` lies in, its clones and split-off parts counted as one with it
  // (the same number for all of them); nothing below the first symbol, and nothing `farthest` or more behind
  // the symbol before.
  std::optional<uint64_t> function_at(uint64_t address, uint64_t farthest = UINT64_MAX) const;

  // All symbols whose name begins like this.
  std::vector<KernelSymbol> with_prefix(std::string_view prefix) const;

  // Sorted by address.
  const std::vector<KernelSymbol>& symbols() const { return symbols_; }

 private:
  SymbolRange range_of(size_t index) const;
  void join_parts();
  std::vector<KernelSymbol> symbols_;
  // By position in symbols_: the number of the function it is a part of.
  std::vector<uint64_t> whole_;
};

}  // namespace hap::collect
