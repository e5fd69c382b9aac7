// The functions that this machine's kernel lets be traced, as tracefs lists them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collect/emulator/kallsyms.h"
#include "hap/result.h"

namespace hap::collect {

struct TraceableFunction {
  uint64_t address = 0;    // run-time address of the symbol
  uint64_t call_site = 0;  // of the traced instruction in it; 0 when the list has names only
  uint32_t record = 0;     // 1-based line number in available_filter_functions: its name for the kernel
  std::string name;
  std::string module;  // empty: the kernel itself
};

struct TraceableList {
  std::vector<TraceableFunction> functions;  // ascending record
  // Lines that name a function no symbol could be found for (names that occur more than once, out of order).
  std::vector<std::string> unplaced;
};

// `list`: the text of available_filter_functions_addrs (with addresses, Linux 6.5 and later) or of
// available_filter_functions (names only: those that occur more than once are told apart by the order of the
// list, which is that of the addresses within the kernel and within each module). Entries that the kernel
// itself marks as invalid keep their record number and are left out. Errors: `corrupt` on a line of another
// form.
Result<TraceableList> parse_traceable(std::string_view list, const Kallsyms& symbols);

// Both from this machine: /proc/kallsyms and `tracefs`, the folder where tracefs is mounted. Errors:
// unreadable, addresses hidden.
Result<TraceableList> read_traceable(const std::string& tracefs, const Kallsyms& symbols);

// The functions of the kernel and its modules that are not in the list, by the address of their symbol: code
// marked notrace or noinstr, and what the compiler was told not to prepare. Split-off cold parts and aliases
// are not counted apart.
std::vector<uint64_t> untraceable(const Kallsyms& symbols, const std::vector<TraceableFunction>& traceable);

// /sys/kernel/tracing or /sys/kernel/debug/tracing, whichever is a tracefs. Errors: neither is; the hint says
// how to mount it (inside a container, too).
Result<std::string> find_tracefs();

}  // namespace hap::collect
