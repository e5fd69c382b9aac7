// A recording: the raw facts of one measured cell, in one SQLite file `NAME.hap`.
//
// A recording says which machine code was seen executing, on whose behalf, and in which windows; who those
// somebodies were; what could not be seen; and under which conditions all this was observed. It holds no
// interpretation: names of functions, layers, attack profiles are computed later from these facts, so that
// symbols, filters and metrics can improve without recording again. docs/recording-format.md has the tables.
//
// Vocabulary:
//   image   a file or memory region that code came from (kernel, module, ELF file, [jit], ...)
//   block   a run of machine code in an image. An exact collector records basic blocks (address and size);
//           a function collector records function entries (size 0: the extent is the resolver's to know)
//   task    a thread of the measured machine, as its kernel describes it. Moving to another cgroup, exec and
//           a reused pid make a new task row, so a row's attributes never change
//   actor   a task plus the cause by which code ran while it was current (its own doing, an interrupt, ...)
//           plus the owner of deferred work when that is known to be somebody else
//   window  a slice of a phase; the sampling unit of completeness statistics
//   hit     (block, actor) with the set of windows it was seen in
//   scope   what the sandbox declared to be its own: cgroups, processes, devices, with their role
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hap/image.h"
#include "hap/result.h"

namespace hap {

// Of the file format; a reader refuses newer ones.
inline constexpr int recording_schema_version = 1;

// Which of the machines that share the processor the code belongs to.
enum class Space {
  host,        // the machine that runs the sandboxes (on Xen: dom0)
  guest,       // a nested or paravirtualized guest inside it
  hypervisor,  // Xen
};

// Addresses of blocks, by kind (the resolver's image addresses):
//   kernel, hypervisor   link-time virtual address (any slide removed)
//   module               offset from the base that /proc/modules shows; init sections, which lie elsewhere,
//   from
//                        kModuleInitBase (hap/resolver.h)
//   user                 offset in the file
//   all others           virtual address
struct Image {
  uint32_t id = 0;                     // unique among images, from 1
  ImageKind kind = ImageKind::kernel;  // what it is
  Space space = Space::host;           // whose machine runs it
  std::string path;      // as the measured machine names it; "vmlinux" for the kernel; the name of a module;
                         // a label in brackets for memory without a file: [jit], [vdso], [memfd:x]
  std::string build_id;  // lower-case hexadecimal, empty when unknown
  uint64_t load_address = 0;  // modules: run-time base of the core text; otherwise 0
  uint64_t inode = 0;         // user files: inode and device of the mapped file, 0 otherwise
  uint64_t device = 0;        // device number of the file's file system; 0: unknown
  // Modules: section name -> load address (".text", ".init.text", ".noinstr.text", ...).
  std::map<std::string, uint64_t> sections;
};

// A piece of machine code that ran.
struct Block {
  uint32_t id = 0;       // unique among blocks
  uint32_t image = 0;    // Image::id
  uint64_t address = 0;  // see Image
  uint32_t size = 0;     // bytes of machine code; 0: a function entry seen by a function collector
  uint64_t code_hash =
      0;  // of the bytes executed (patched text has several); 0 when the collector cannot tell
};

// Why code ran while a task was current.
enum class Cause {
  process,     // the task's own doing: system calls, faults, its user code, a kernel thread's own work
  softirq_bh,  // softirq run synchronously when the task itself enabled bottom halves
  softirq,     // softirq on the way out of an interrupt
  hardirq,     // interrupt handler, with its entry and exit code
  nmi,
};

// A thread of the measured machine.
struct Task {
  uint32_t id = 0;             // unique among tasks, from 1; 0 stands for none
  Space space = Space::host;   // whose machine it belongs to
  int32_t pid = 0;             // thread id in the initial pid namespace
  int32_t tgid = 0;            // process id in the initial pid namespace
  int32_t ppid = 0;            // tgid of the parent
  uint64_t start_ns = 0;       // start time since boot
  std::string comm;            // its name, which it chooses itself
  std::string cgroup;          // path in the v2 hierarchy, "/" for the root, empty when unknown
  uint64_t cgroup_id = 0;      // inode number of the cgroup's folder; 0: unknown
  bool kernel_thread = false;  // it has no user space
};

// On whose account deferred work was queued.
enum class OwnerKind {
  none,
  work,       // a workqueue item; owner_task queued it
  rcu,        // an RCU callback; owner_task queued it
  socket,     // receive processing of a socket; owner_name is the cgroup path of the socket
  netdev,     // receive processing of a device; owner_name is "ifname@netns-inode"
  emulation,  // code that only runs because the emulated processor lacks assists (see docs/validity.md)
};

// On whose account code ran: the current task, why, and who deferred it.
struct Actor {
  uint32_t id = 0;                         // unique among actors
  uint32_t task = 0;                       // Task::id of the current task
  Cause cause = Cause::process;            // why it ran while that task was current
  OwnerKind owner_kind = OwnerKind::none;  // how deferred work came to be
  uint32_t owner_task = 0;                 // Task::id, 0: none
  std::string owner_name;                  // cgroup or device, where the kind has one
};

// Part of a cell: until the service is ready, while it serves, after that.
enum class Phase { setup = 1, serve = 2, teardown = 3 };

// A slice of a phase; the sampling unit of completeness.
struct Window {
  uint32_t id = 0;             // unique in the recording, ascending in time
  Phase phase = Phase::serve;  // that it lies in
  int64_t start_ns = 0;        // machine's monotonic clock
  int64_t end_ns = 0;          // machine's monotonic clock
  uint64_t requests = 0;       // verified replies within the window
};

// A block that ran for an actor, and in which windows.
struct Hit {
  uint32_t block = 0;             // Block::id
  uint32_t actor = 0;             // Actor::id
  std::vector<uint32_t> windows;  // Window::id, ascending
};

// What a sandbox declared about itself. `kind` and `value`:
//   cgroup   path of a v2 cgroup; its descendants are included
//   pid      a thread group (decimal); its descendants are included
//   tid      one thread (decimal)
//   comm     every task of the scope with this exact name ("exe" roles inside a cgroup)
//   kthread  a kernel thread by its name
//   netdev   "ifname@netns-inode" or "ifname"
//   image    user code of this path has this role
// `role`: application | sandbox | vcpu | host-daemon | load (the load generator, never counted).
struct ScopeRule {
  std::string kind;   // one of the above
  std::string value;  // as the kind wants it
  std::string role;   // see above
};

// How often a task made a system call.
struct SyscallCount {
  uint32_t task = 0;           // Task::id
  Phase phase = Phase::serve;  // in which
  int32_t number = 0;          // of the system call, as the kernel numbers them
  uint64_t count = 0;          // of calls
};

// A seccomp filter that a process of the sandbox had loaded while it served: the BPF program itself. All
// filters of a process apply; `position` 0 is the one installed last.
struct SeccompFilter {
  int32_t pid = 0;        // thread group
  std::string role;       // role of that process, as in ScopeRule
  uint32_t position = 0;  // 0: installed last
  std::string program;    // struct sock_filter[], little-endian
};

// Something that may have run without being seen. `kind` is one of the names in docs/recording-format.md
// (events_lost, unresolved_mapping, unobservable_function, memory_read_failed, blind_ns, ...).
struct Loss {
  std::string kind;    // see above
  uint64_t count = 0;  // how often; nanoseconds for blind_ns
  std::string detail;  // for people; may be empty
};

// Everything but the blocks and hits: small enough to be read at once.
struct RecordingHeader {
  // Identity: tool_version, created (RFC 3339), sandbox, workload, profile, collector, granularity
  // ("block" or "function"), command, kernel_release, kernel_build_id, machine, requests, requests_failed,
  // boot, repeat, ... docs/recording-format.md lists the keys.
  std::map<std::string, std::string> meta;
  // CPU flags, vulnerabilities, clocksource, page cache state, clock, emulator options, ...
  std::map<std::string, std::string> conditions;
  std::vector<Image> images;           // programs, kernels, modules
  std::vector<Task> tasks;             // threads seen
  std::vector<Actor> actors;           // on whose account code ran
  std::vector<Window> windows;         // ascending in time
  std::vector<ScopeRule> scope;        // what the sandbox declared about itself
  std::vector<SyscallCount> syscalls;  // system calls made
  std::vector<SeccompFilter> filters;  // seccomp filters loaded
  std::vector<Loss> losses;            // what may be missing
  // Addresses (in `kernel` and `module` images) of functions the collector could not observe.
  std::vector<uint64_t> unobservable;
};

// Writes a recording. The file appears under its name only when finish() succeeded; until then, and when the
// writer is destroyed unfinished, nothing is at that name. Not thread-safe.
class RecordingWriter {
 public:
  // Errors: the folder is not writable.
  static Result<RecordingWriter> create(const std::string& path);
  RecordingWriter(RecordingWriter&&) noexcept;
  RecordingWriter& operator=(RecordingWriter&&) noexcept;
  ~RecordingWriter();

  // Last value given wins.
  Status set_meta(const std::string& key, const std::string& value);
  // Last value given wins.
  Status set_condition(const std::string& key, const std::string& value);
  // Adds a row. Errors: an id that is there already; disk full.
  Status add(const Image& image);
  // See add(const Image&).
  Status add(const Block& block);
  // See add(const Image&).
  Status add(const Task& task);
  // See add(const Image&).
  Status add(const Actor& actor);
  // See add(const Image&).
  Status add(const Window& window);
  // See add(const Image&); windows must be there, ascending and distinct.
  Status add(const Hit& hit);
  // See add(const Image&).
  Status add(const ScopeRule& rule);
  // See add(const Image&).
  Status add(const SyscallCount& count);
  // See add(const Image&).
  Status add(const SeccompFilter& filter);
  // See add(const Image&).
  Status add(const Loss& loss);
  // A function that the collector could not observe.
  Status add_unobservable(uint64_t address);

  // Checks the references between rows, writes the digest, syncs and renames. The writer is spent.
  // Errors: `corrupt` when a row refers to one that is not there; disk full.
  Status finish();

 private:
  struct Impl;
  explicit RecordingWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Reads a recording. Opening verifies size, digest, application id and schema version, so every later read
// is of intact bytes; hostile values are still checked on the way out.
class Recording {
 public:
  // Errors (all of kind `corrupt` but the first): no such file; not a recording; cut or damaged; written by a
  // newer hapmeter.
  static Result<Recording> open(const std::string& path);
  Recording(Recording&&) noexcept;
  Recording& operator=(Recording&&) noexcept;
  ~Recording();

  // As given to open().
  const std::string& path() const;
  // Everything but blocks and hits.
  const RecordingHeader& header() const;
  // The meta value, or "" when there is none.
  std::string meta(const std::string& key) const;

  // Rows of the recording.
  uint64_t block_count() const;
  // Rows of the recording.
  uint64_t hit_count() const;

  // In order of id. The callback returns false to stop early.
  Status for_each_block(const std::function<bool(const Block&)>& visit) const;
  // Grouped by block, in ascending block id.
  Status for_each_hit(const std::function<bool(const Hit&)>& visit) const;

 private:
  struct Impl;
  explicit Recording(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Stored names of the enumerations.
std::string_view to_string(ImageKind);
// "host", "guest".
std::string_view to_string(Space);
// As stored.
std::string_view to_string(Cause);
// As stored.
std::string_view to_string(OwnerKind);
// "setup", "serve", "teardown".
std::string_view to_string(Phase);
// Empty: there is no such name.
std::optional<ImageKind> image_kind_from(std::string_view);
// Empty: there is no such name.
std::optional<Space> space_from(std::string_view);
// Empty: there is no such name.
std::optional<Cause> cause_from(std::string_view);
// Empty: there is no such name.
std::optional<OwnerKind> owner_kind_from(std::string_view);
// Empty: there is no such name.
std::optional<Phase> phase_from(std::string_view);

}  // namespace hap
