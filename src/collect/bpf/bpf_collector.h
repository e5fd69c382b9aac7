// The bpf collector: one BPF program at the entry of every traceable function.
//
// Functions are watched while they may tell something new and taken off when that pays (arming.h), so that a
// busy service is slowed down for some milliseconds of each window. docs/live.md has the figures.
#pragma once

#include <memory>

#include "collect/live_collector.h"

namespace hap::collect {

std::unique_ptr<LiveCollector> make_bpf_collector();

}  // namespace hap::collect
