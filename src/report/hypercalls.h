// What a paravirtualized guest may ask of Xen.
#pragma once

#include <cstdint>
#include <optional>

#include "hap/report.h"
#include "hap/resolver.h"

namespace hap::report {

struct Hypercalls {
  uint64_t handlers = 0;   // of the hypercalls that pv_hypercall calls
  uint64_t functions = 0;  // behind them and behind the guest's traps, entries included
};

// From the machine code of the recording's hypervisor: a lower bound, since calls through pointers are not
// followed. Null without a hypervisor or its symbols.
std::optional<Hypercalls> permitted_hypercalls(const Profile& profile, const Resolver& resolver);

}  // namespace hap::report
