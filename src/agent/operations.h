// The agent's operations that are not about cells. Each function adds its operations to the table.
#pragma once

#include "agent/dispatch.h"

namespace hap::agent {

// ping -> {agent: version}; power_off; reseed {unix_time?} + blob (fresh random bytes);
// settle {milliseconds} -> {idle}: returns once the machine did next to nothing for that long.
void add_machine_operations(Dispatcher& dispatcher);
// read_file {path} -> blob; write_file {path, mode?} + blob; warm {paths: [...]} -> {bytes, files, missing}.
void add_file_operations(Dispatcher& dispatcher);
// exec {argv, env?, cwd?, timeout_ms?} + blob (standard input) -> {status, out, err}.
void add_exec_operation(Dispatcher& dispatcher);
// kernel -> release, version, build id, modules with their load addresses, and the machine's conditions;
// process_maps -> blob: for every process a line `pid N comm NAME` and its /proc/N/maps.
void add_kernel_operation(Dispatcher& dispatcher);
// shell {rows, columns, term} -> {status}: an interactive shell on the console, until it ends.
void add_shell_operation(Dispatcher& dispatcher);
// start_dom0 -> {}: makes the machine ready to create guests: Xen's file system, xenstored, xenconsoled.
// An error of kind `unsupported` when the kernel is not Xen's dom0.
void add_xen_operations(Dispatcher& dispatcher);

}  // namespace hap::agent
