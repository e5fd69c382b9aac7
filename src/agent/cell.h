// A cell: one sandbox with one workload, from start to stop, marked for the collector and proven to have
// served.
#pragma once

#include "agent/dispatch.h"

namespace hap::agent {

// run_cell {sandbox, workload, profile, options{...}} -> what a recording needs to know about the cell;
// events `phase`, `window`, `scope` while it runs. docs/lab.md and docs/sandboxes.md have the fields.
void add_cell_operations(Dispatcher& dispatcher);

}  // namespace hap::agent
