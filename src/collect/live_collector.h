// The seam of the collectors that measure this very machine: bpf and ftrace.
//
// They see function entries. What they report is window incidence: in this window, this function ran on
// behalf of this class of threads, in this context. They know nothing of recordings, names of containers or
// files: src/live resolves the scope, polls it, ends windows, and writes what they report.
//
// Order of calls, all from one thread:
//
//   probe()                                          any time, changes nothing that lasts
//   start(scope, sink)                               everything attached; nothing is reported yet
//   { begin_window(id)  { pump(), update_scope() }*  end_window() }*
//   stop()                                           also after an error of any of the above
//
// What a collector attaches must vanish with its process (descriptors), or bear the process's identity so
// that the next `hap` can remove it (tracefs instances: collect/ftrace/instance.h).
//
// To add one: implement this interface in src/collect/<name>/, add it to live_collectors() in
// src/live/collectors.cc, and have tests/lab/live_oracle_test.cc compare it with the emulator.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collect/collector.h"

namespace hap::collect {

// What a thread is to the measured sandbox. `none` is everybody else: never reported.
enum class ThreadClass : uint8_t {
  none = 0,
  application = 1,  // the tenant's own threads, io_uring workers included
  sandbox = 2,      // threads of a VMM or Sentry, vhost workers that are threads of it
  vcpu = 3,         // threads that run guest code
  kernel = 4,       // kernel threads that work for the sandbox alone (vhost-PID, kvm-pit/PID)
};
inline constexpr size_t kThreadClasses = 5;

struct ScopedThread {
  pid_t tid = 0;
  pid_t tgid = 0;
  ThreadClass thread_class = ThreadClass::application;
};

struct ScopedCgroup {
  std::string path;  // in the v2 hierarchy, as /proc/PID/cgroup shows it
  uint64_t id = 0;   // inode of the folder, which is what bpf_get_current_cgroup_id() gives
  ThreadClass thread_class = ThreadClass::application;
};

// Who is watched, in ids of the initial pid namespace. The collector itself follows two things, at once and
// in the kernel where it can: whatever a watched thread forks or clones is watched too, with the same class
// (a clone of a vCPU thread is `sandbox`); and a thread that is in one of the cgroups, or below, is watched
// with the cgroup's class unless it is in `threads` or was inherited. Everything else (cgroups of version 1,
// kernel threads by owner, vCPU threads found later) src/live finds by polling, and hands in by
// update_scope().
struct LiveScope {
  std::vector<ScopedThread> threads;
  std::vector<ScopedCgroup> cgroups;
  std::vector<pid_t> never;  // thread groups that are never watched, wherever they are: hap itself
};

// Takes what a collector saw. Calls name the window by their time: between begin_window() and the return of
// end_window() they belong to that window.
class HitSink {
 public:
  virtual ~HitSink() = default;
  // `address`: run-time address of the function's symbol (not of the call site in it). Repetition is
  // harmless.
  virtual void hit(uint64_t address, ThreadClass thread_class, Cause cause) = 0;
  // System calls begun in this window, added to what was reported before.
  virtual void system_calls(ThreadClass thread_class, int32_t number, uint64_t count) = 0;
  // A thread that the collector found to belong to the scope by itself, where it can tell.
  virtual void thread_seen(pid_t /*tid*/, ThreadClass /*thread_class*/) {}
};

// What one window cost in sight.
struct WindowSight {
  // Functions no longer watched at the window's end because they had been seen in a HAP context: what other
  // contexts or classes ran of them afterwards is censored.
  uint64_t disarmed = 0;
  uint64_t events =
      0;  // function entries (or syscalls) delivered to user space; 0 where nothing is delivered
  uint64_t events_lost = 0;
  // Time within the window in which an armed function could run unseen (arming in progress), of all
  // processors together.
  uint64_t blind_ns = 0;
};

struct Unobservable {
  uint64_t address = 0;  // run-time address of the symbol
  std::string why;       // a short fixed phrase: "refused by the kernel", "notrace"
};

// Of the whole measurement. Counts are of things looked for: 0 means none.
struct LiveStats {
  uint64_t observable = 0;  // functions attached to
  // Functions no longer watched in some window after others alone had entered them, and never seen in a task:
  // what tasks ran of them afterwards is not known. Run-time addresses.
  std::vector<uint64_t> censored;
  std::vector<Unobservable> unobservable;
  uint64_t events_lost = 0;  // in any context: buffers overrun
  uint64_t missed_task = 0;  // probes the kernel skipped, in task context; anything but 0 spoils the result
  uint64_t missed_interrupt = 0;  // and in interrupt contexts: these widen their interval
  bool truncated = false;         // the collector stopped before it was asked to
  std::vector<Loss> more;         // whatever else docs/recording-format.md has a name for
};

class LiveCollector {
 public:
  virtual ~LiveCollector() = default;

  virtual std::string_view name() const = 0;

  // Tries, within a second or two, instead of guessing from versions. Leaves nothing behind.
  virtual Probe probe() = 0;

  // Attaches to everything, disarmed. The sink must outlive stop(). After an Error nothing is left attached.
  virtual Status start(const LiveScope& scope, HitSink& sink) = 0;

  // Arms every observable function. What runs from its return on is seen.
  virtual Status begin_window(uint32_t id) = 0;

  // Called again and again while a window is open, at least every 100 ms: reads, disarms. Returns soon; the
  // caller waits between calls as long as the return value says (at most 100 ms).
  virtual Result<std::chrono::milliseconds> pump() = 0;

  // The complete scope anew; threads may have come and changed their class. Those that are gone may still be
  // listed.
  virtual Status update_scope(const LiveScope& scope) = 0;

  // Everything of the window is in the sink on return.
  virtual Result<WindowSight> end_window() = 0;

  // Detaches everything, also when start() or anything else failed.
  virtual Result<LiveStats> stop() = 0;

  // The capabilities (capabilities(7), "CAP_...") that windows and stop() need; the caller gives up all
  // others after start().
  virtual std::vector<std::string> capabilities_to_keep() const = 0;
};

}  // namespace hap::collect
