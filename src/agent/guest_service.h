// Operations of an agent that is the first process of a nested guest: the sandbox outside asks it to run the
// service and to tell what its processes have mapped.
#pragma once

#include "agent/dispatch.h"

namespace hap::agent {

// start_service {argv, env, working_dir, files, device?, address, gateway}; stop_service;
// executable_mappings -> {mappings: [{pid, comm, start, end, offset, inode, path}]}.
void add_guest_operations(Dispatcher& dispatcher);

}  // namespace hap::agent
