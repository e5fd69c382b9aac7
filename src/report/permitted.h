// What the sandbox's seccomp filters, as the kernel had them loaded, would let its threads reach.
#pragma once

#include <optional>

#include "hap/report.h"
#include "hap/resolver.h"

namespace hap::report {

// System calls of the measured kernel that at least one process of the sandbox may make, whatever its
// arguments would have to be, and the kernel functions that direct calls of the machine code reach from their
// entries: a lower bound, since calls through pointers are not followed. Null when the recording holds no
// filters; each part is null when a filter cannot be evaluated or the kernel's symbols are missing.
std::optional<Permitted> permitted_by_filters(const Profile& profile, const Resolver& resolver);

}  // namespace hap::report
