#include "collect/ftrace/trace_events.h"

#include <algorithm>

#include "base/file.h"

namespace hap::collect {

Result<TraceEvents> TraceEvents::read(const std::string& tracefs) {
  const auto format = [&](const char* path) -> Result<EventFormat> {
    HAP_TRY(text, read_file(tracefs + path));
    return parse_event_format(text);
  };
  TraceEvents events;
  HAP_TRY(page, read_file(tracefs + "/events/header_page"));
  HAP_TRY(page_format, parse_page_format(page));
  HAP_TRY(function, format("/events/ftrace/function/format"));
  HAP_TRY(fork, format("/events/sched/sched_process_fork/format"));
  HAP_TRY(call, format("/events/raw_syscalls/sys_enter/format"));
  HAP_TRY(type, function.field("common_type", 2));
  HAP_TRY(flags, function.field("common_flags", 1));
  HAP_TRY(pid, function.field("common_pid", 4));
  HAP_TRY(ip, function.field("ip", 8));
  HAP_TRY(parent_ip, function.field("parent_ip", 8));
  HAP_TRY(fork_parent, fork.field("parent_pid", 4));
  HAP_TRY(fork_child, fork.field("child_pid", 4));
  HAP_TRY(number, call.field("id", 8));
  events.page = page_format;
  events.function = function.id;
  events.fork = fork.id;
  events.system_call = call.id;
  events.type = type;
  events.flags = flags;
  events.pid = pid;
  events.ip = ip;
  events.parent_ip = parent_ip;
  events.fork_parent = fork_parent;
  events.fork_child = fork_child;
  events.number = number;
  const size_t common = std::max({end_of(type), end_of(flags), end_of(pid)});
  events.function_size = std::max({common, end_of(ip), end_of(parent_ip)});
  events.fork_size = std::max({common, end_of(fork_parent), end_of(fork_child)});
  events.call_size = std::max(common, end_of(number));
  return events;
}

}  // namespace hap::collect
