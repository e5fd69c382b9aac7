// What a sandbox actually executes for a service.
#pragma once

#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace hap::sandbox {

// The service's argument vector with `{address}` filled in and, when the service must not be root and would
// be, started through setpriv as `nobody`.
std::vector<std::string> service_command(const Service& service, const std::string& address,
                                         bool would_be_root);

// The name the kernel shows for the service's task: the program's base name, at most 15 characters.
std::string task_name(const Service& service);

// Thread groups among `pids` whose command line starts with or contains `text`.
std::vector<pid_t> with_command_line(const std::vector<pid_t>& pids, const std::string& text);

// Kernel threads that carry the process id in their name ("kvm-pit/123", "vhost-123"): made on its account.
std::vector<std::string> kernel_threads_of(pid_t pid);

}  // namespace hap::sandbox
