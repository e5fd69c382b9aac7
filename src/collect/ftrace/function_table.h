// The traceable functions by the addresses that trace entries carry.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "collect/ftrace/entry_context.h"
#include "collect/traceable.h"

namespace hap::collect {

class FunctionTable {
 public:
  // Errors: the lists cannot be read.
  static Result<FunctionTable> read(const std::string& tracefs);

  static constexpr uint32_t kUnknown = UINT32_MAX;

  size_t size() const { return functions_.size(); }
  const TraceableFunction& operator[](uint32_t function) const { return functions_[function]; }
  // Lines of tracefs' list that no symbol could be found for.
  const std::vector<std::string>& unplaced() const { return unplaced_; }

  // Functions that cannot be traced, by the address of their symbol.
  std::vector<uint64_t> untraceable() const { return collect::untraceable(symbols_, functions_); }

  // The function whose traced instruction this is, or kUnknown.
  uint32_t at_call_site(uint64_t address);

  struct Caller {
    uint32_t symbol = 0;  // a number for the function, shared with `symbol_of`
    FunctionTrait trait = FunctionTrait::none;
  };
  // Whatever symbol covers the address, traceable or not.
  Caller caller(uint64_t address);
  // The number that caller() gives for addresses within this function.
  uint32_t symbol_of(uint32_t function) const { return symbol_numbers_[function]; }
  FunctionTrait trait(uint32_t function) const { return traits_[function]; }

 private:
  explicit FunctionTable(Kallsyms symbols) : symbols_(std::move(symbols)) {}
  // Index of the last symbol at or before the address.
  uint32_t symbol_at(uint64_t address) const;

  Kallsyms symbols_;
  std::vector<TraceableFunction> functions_;
  std::vector<std::string> unplaced_;
  std::vector<uint32_t> symbol_numbers_;
  std::vector<FunctionTrait> traits_;
  std::unordered_map<uint64_t, uint32_t> by_address_;  // of the symbol
  std::unordered_map<uint64_t, uint32_t> by_call_site_;
  std::unordered_map<uint64_t, Caller> callers_;
};

}  // namespace hap::collect
