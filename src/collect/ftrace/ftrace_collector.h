// The function tracer as a live collector: any kernel with CONFIG_FUNCTION_TRACER.
//
// A private instance (instance.h) with the `function` tracer, filtered by thread in the kernel, its buffers
// read page by page. What has been seen is taken out of the trace by record number (disarm_plan.h) and put
// back at the next window. docs/live.md says what it costs and what it cannot see.
#pragma once

#include <cstdint>
#include <memory>

#include "collect/live_collector.h"

namespace hap::collect {

struct FtraceOptions {
  uint64_t buffer_kib_per_cpu = 0;  // 0: 16 MiB, less where memory is short
};

std::unique_ptr<LiveCollector> make_ftrace_collector(const FtraceOptions& options = {});

}  // namespace hap::collect
