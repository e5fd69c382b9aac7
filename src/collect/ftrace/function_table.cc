#include "collect/ftrace/function_table.h"

#include <algorithm>

#include "base/file.h"

namespace hap::collect {
namespace {

// See traceable.cc: how far behind its symbol a function's traced instruction may be.
constexpr uint64_t largest_entry_offset = 16;
// Callers are remembered by return address; there are only so many call sites in a kernel.
constexpr size_t most_callers = 1 << 20;

}  // namespace

Result<FunctionTable> FunctionTable::read(const std::string& tracefs) {
  HAP_TRY(text, read_file("/proc/kallsyms"));
  HAP_TRY(symbols, Kallsyms::parse(text));
  HAP_TRY(list, read_traceable(tracefs, symbols));
  if (list.functions.empty()) {
    return Error("the kernel lists no traceable function", ErrorKind::unsupported)
        .hint("the kernel needs CONFIG_FUNCTION_TRACER and CONFIG_DYNAMIC_FTRACE");
  }
  FunctionTable table(std::move(symbols));
  table.functions_ = std::move(list.functions);
  table.unplaced_ = std::move(list.unplaced);
  for (uint32_t i = 0; i < table.functions_.size(); ++i) {
    const TraceableFunction& function = table.functions_[i];
    table.by_address_.emplace(function.address, i);
    if (function.call_site != 0) table.by_call_site_.emplace(function.call_site, i);
    table.symbol_numbers_.push_back(table.symbol_at(function.address));
    table.traits_.push_back(trait_of(function.name));
  }
  return table;
}

uint32_t FunctionTable::symbol_at(uint64_t address) const {
  const auto& all = symbols_.symbols();
  auto after = std::upper_bound(all.begin(), all.end(), address,
                                [](uint64_t wanted, const KernelSymbol& s) { return wanted < s.address; });
  if (after == all.begin()) return 0;
  // The first of the symbols that share the address: aliases have one number.
  const uint64_t begin = std::prev(after)->address;
  while (after != all.begin() && std::prev(after)->address == begin) --after;
  return static_cast<uint32_t>(after - all.begin());
}

uint32_t FunctionTable::at_call_site(uint64_t address) {
  if (const auto known = by_call_site_.find(address); known != by_call_site_.end()) return known->second;
  uint32_t found = kUnknown;
  for (uint64_t offset = 0; offset <= largest_entry_offset && found == kUnknown; ++offset) {
    const auto function = by_address_.find(address - offset);
    if (function != by_address_.end()) found = function->second;
  }
  if (by_call_site_.size() < functions_.size() * 2) by_call_site_.emplace(address, found);
  return found;
}

FunctionTable::Caller FunctionTable::caller(uint64_t address) {
  if (const auto known = callers_.find(address); known != callers_.end()) return known->second;
  Caller found;
  // A return address behind a call that does not return lies in the next function.
  found.symbol = symbol_at(address - 1);
  const auto& all = symbols_.symbols();
  for (size_t i = found.symbol; i < all.size() && all[i].address == all[found.symbol].address; ++i) {
    if (const auto trait = trait_of(all[i].name); trait != FunctionTrait::none) found.trait = trait;
  }
  if (callers_.size() < most_callers) callers_.emplace(address, found);
  return found;
}

}  // namespace hap::collect
