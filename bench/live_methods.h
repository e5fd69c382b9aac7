// The ways to trace a redis-server that live_overhead compares, as scripts of the lab machine.
#pragma once

#include <string>
#include <vector>

namespace hap::bench {

struct Method {
  std::string name;
  double aim = 0;      // most instructions per request, as a ratio to untraced; 0: none
  std::string start;   // begins tracing $pid; returns when it is attached
  std::string enough;  // succeeds when $chunks of load have been enough
  std::string stop;    // ends tracing
  std::string losses;  // prints, on one line, what was lost
};

// `windows`: how many windows of hap's own must have ended before its load does.
inline std::vector<Method> live_methods(int windows) {
  const auto hap = [&](const std::string& collector, double aim) {
    return Method{"hap " + collector, aim,
                  "taskset -c 1 hap record --collector " + collector +
                      " --pid $pid -o /run/o.hap > /run/log 2>&1 & tracer=$!\n"
                      "until grep -q ^recording /run/log; do kill -0 $tracer; sleep 0.1; done\n"
                      "own() { cut -d ' ' -f 1 /proc/$tracer/schedstat; }; before=$(own)",
                  // Without a process of its own: what it costs is in the figure.
                  "mapfile -t lines < /run/log; [ ${#lines[@]} -ge " + std::to_string(windows + 2) + " ]",
                  "own=$((($(own) - before) / 1000000)); kill -INT $tracer; wait $tracer",
                  "echo \"$(tail -n 1 /run/log | sed 's/.*: //'), hap itself ran for $own ms\""};
  };
  const std::string once = "[ $chunks -ge 1 ]";
  return {{"untraced", 0, ":", "mapfile -t lines < /run/redis.log; [ $chunks -ge 50 ]", ":", "echo -"},
          hap("bpf", 1.05),
          hap("ftrace", 1.10),
          {"trace-cmd", 0,
           "trace-cmd record -p function -P $pid -o /run/trace.dat > /run/log 2>&1 & tracer=$!\n"
           "until [ $(cat /sys/kernel/tracing/current_tracer) = function ]; do kill -0 $tracer; sleep 0.1; "
           "done; sleep 1",
           once, "kill -INT $tracer; wait $tracer || true",
           "grep -h '^overrun' /sys/kernel/tracing/per_cpu/cpu*/stats /run/log | tr '\\n' ' '"},
          {"function_graph", 0,
           "echo $pid > /sys/kernel/tracing/set_ftrace_pid; echo function_graph > "
           "/sys/kernel/tracing/current_tracer\n"
           "cat /sys/kernel/tracing/trace_pipe > /dev/null 2>&1 & tracer=$!",
           once, "echo 0 > /sys/kernel/tracing/tracing_on; sleep 1; kill $tracer || true",
           "echo $(grep -h '^overrun' /sys/kernel/tracing/per_cpu/cpu*/stats) entries"},
          {"bpftrace", 0,
           "export BPFTRACE_MAX_PROBES=100000\n"
           "bpftrace -e \"kprobe:* /pid == $pid/ { @[func] = count(); }\" > /run/log 2>&1 & tracer=$!\n"
           "until [ $(wc -l < /sys/kernel/tracing/enabled_functions) -gt 10000 ]; do kill -0 $tracer; sleep "
           "1; done",
           once, "kill -INT $tracer; wait $tracer || true", "echo not told"}};
}

}  // namespace hap::bench
