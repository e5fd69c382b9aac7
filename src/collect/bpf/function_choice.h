// Which functions the bpf collector watches, and how.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collect/bpf/kernel_program.h"
#include "collect/live_collector.h"
#include "hap/result.h"

namespace hap::collect {

struct FunctionChoice {
  std::vector<uint64_t> addresses;   // by function number, ascending
  std::vector<uint32_t> attachable;  // numbers of those that the entry program is attached to, ascending
  std::vector<uint32_t> busy;        // of these, the ones that services enter all the time, ascending
  CompanionFunctions companions;     // watched by programs of their own
  std::optional<uint32_t> getppid;   // of the system call that does next to nothing, to calibrate with
  std::vector<Unobservable> unobservable;
  uint64_t own_functions = 0;  // of these, how many the tracer itself runs
  std::string own_names;       // and which: "migrate_disable, ..."
  uint64_t unplaced = 0;       // listed by the kernel, but their address could not be told from their name

  // What each of the first links holds, in the order to attach them: all but the busy functions, so that this
  // large link can stay as it is; then the busy ones, which are soon taken off. Attaching enters some of
  // those for every function, and would pay for it if they were watched already.
  std::vector<std::vector<uint32_t>> first_links() const;
};

// Of this machine's kernel, as it is now. Errors: tracefs or kallsyms cannot be read, nothing is traceable.
Result<FunctionChoice> choose_functions();

}  // namespace hap::collect
