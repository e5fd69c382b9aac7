// What tracing costs on this machine, in processor time of the calling thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "collect/bpf/arming.h"
#include "collect/bpf/entry_links.h"
#include "hap/result.h"

namespace hap::collect {

std::chrono::nanoseconds thread_time();

// `getppid_function`: number of the kernel function behind the system call getppid, which is entered some
// thousand times. Attaches to it alone, twice, and detaches. The program should be armed, so that the whole
// of an entry is measured. `function` of the result is left 0.
Result<TracingCosts> calibrate(uint32_t getppid_function, const MakeLink& make_link);

}  // namespace hap::collect
