#include "collect/ftrace/ftrace_collector.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "base/file.h"
#include "collect/bpf/system_call_counter.h"
#include "collect/ftrace/disarm_plan.h"
#include "collect/ftrace/function_table.h"
#include "collect/ftrace/instance.h"
#include "collect/ftrace/ring_page.h"
#include "collect/ftrace/thread_classes.h"
#include "collect/ftrace/trace_events.h"

namespace hap::collect {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t default_buffer_kib = 16 << 10;
constexpr size_t causes = 5;
// include/linux/threads.h: PID_MAX_LIMIT, which no thread has as its number.
constexpr std::string_view nobody = "4194304\n";
constexpr milliseconds busy_wait{5};
constexpr milliseconds longest_wait{80};

double now_ns(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// One processor's buffer.
struct Processor {
  int number = 0;
  UniqueFd pages;
  EntryContext context;
  uint64_t lost_before = 0;  // counter of losses when the window began
};

uint64_t counter_of(std::string_view stats, std::string_view name) {
  const size_t at = stats.find(name);
  uint64_t value = 0;
  if (at != std::string_view::npos) {
    std::from_chars(stats.data() + at + name.size(), stats.data() + stats.size(), value);
  }
  return value;
}

// Names and addresses from /proc/modules, without the counts that change all the time.
Result<std::string> loaded_modules() {
  HAP_TRY(text, read_file("/proc/modules", 1 << 24));
  std::string modules;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    modules += line.substr(0, line.find(' ')) + line.substr(line.find(" 0x") + 1) + "\n";
  }
  return modules;
}

class FtraceCollector : public LiveCollector {
 public:
  explicit FtraceCollector(const FtraceOptions& options) : options_(options) {}

  std::string_view name() const override { return "ftrace"; }
  Probe probe() override;
  Status start(const LiveScope& scope, HitSink& sink) override;
  Status begin_window(uint32_t id) override;
  Result<milliseconds> pump() override;
  Status update_scope(const LiveScope& scope) override;
  Result<WindowSight> end_window() override;
  Result<LiveStats> stop() override;
  // Files in tracefs check rights when they are opened.
  std::vector<std::string> capabilities_to_keep() const override { return {"CAP_DAC_OVERRIDE"}; }

 private:
  Status open_buffers();
  Status look_after_modules();
  void note_censored();
  Status set_up_filters();
  Status watch(const std::vector<ScopedThread>& threads);
  Result<uint64_t> drain();
  void take_page(Processor& processor, std::span<const std::byte> bytes);
  void take_function(Processor& processor, std::span<const std::byte> event);
  void take_hit(uint32_t function, pid_t tid, Cause cause);
  void report(uint32_t function, ThreadClass thread_class, Cause cause);
  void resolve_strangers();
  Status disarm();
  Result<uint64_t> losses_so_far(const Processor& processor) const;

  FtraceOptions options_;
  std::string tracefs_;
  std::optional<TraceInstance> instance_;
  TraceEvents events_;
  std::optional<FunctionTable> table_;
  std::optional<DisarmPlan> plan_;
  std::vector<Processor> processors_;
  std::vector<std::byte> page_ = std::vector<std::byte>(1 << 16);
  ThreadClasses threads_;
  HitSink* sink_ = nullptr;

  // Per function, a bit for each (class, cause) reported in this window.
  std::vector<uint32_t> reported_;
  std::optional<SystemCallCounter> counter_;  // where the kernel lets it; otherwise calls are events
  std::map<std::pair<ThreadClass, int32_t>, uint64_t> calls_;
  // Hits of threads whose class is not known yet.
  struct Stranger {
    uint32_t function;
    Cause cause;
    auto operator<=>(const Stranger&) const = default;
  };
  std::map<pid_t, std::vector<Stranger>> strangers_;
  uint64_t foreign_entries_ = 0;    // of threads that turned out not to belong
  uint64_t unknown_functions_ = 0;  // entries at addresses of no listed function
  uint64_t damaged_pages_ = 0;
  uint64_t lost_ = 0;
  uint64_t events_in_window_ = 0;
  uint64_t calls_in_window_ = 0;  // that came as events
  uint64_t calls_before_ = 0;     // what counter_ had when the window began
  milliseconds wait_{busy_wait};
  WindowSight sight_;
  std::set<uint64_t> censored_;  // addresses; noted when the list of functions changes, and at the end
  std::string modules_;          // names and addresses of the modules the list was made with
  bool recording_on_ = false;
};

Probe refused(const Error& error) {
  return {false, error.to_string(), error.hint()};
}

Probe FtraceCollector::probe() {
  if (tracing_is_locked_down()) {
    return {false, "the kernel is locked down (confidentiality), which forbids tracing even to root",
            "boot without lockdown, or measure in the lab machine (`hap measure`)"};
  }
  const auto tracefs = find_tracefs();
  if (!tracefs) return refused(tracefs.error());
  const auto tracers = read_file(*tracefs + "/available_tracers", 1 << 12);
  if (!tracers) return refused(explain_refusal("cannot read which tracers there are", tracers.error().err()));
  // A word of its own: "function_graph" is another.
  if ((" " + *tracers).find(" function ") == std::string::npos &&
      (" " + *tracers).find(" function\n") == std::string::npos) {
    return {false, "this kernel has no function tracer", "it needs CONFIG_FUNCTION_TRACER"};
  }
  const auto enabled = read_file("/proc/sys/kernel/ftrace_enabled", 16);
  if (enabled && enabled->substr(0, 1) == "0") {
    return {false, "function tracing is switched off", "sysctl kernel.ftrace_enabled=1"};
  }
  auto instance = TraceInstance::create(*tracefs, "probe");
  if (!instance) return refused(instance.error());
  // One function that nothing calls is enough to see whether the kernel lets its text be changed.
  Status tried = instance->write("set_ftrace_filter", "1\n");
  if (tried) tried = instance->write("current_tracer", "function");
  if (!tried) return refused(tried.error());
  (void)instance->write("current_tracer", "nop");
  if (const auto events = TraceEvents::read(*tracefs); !events) return refused(events.error());
  return {true, {}, {}};
}

Status FtraceCollector::start(const LiveScope& scope, HitSink& sink) {
  sink_ = &sink;
  HAP_TRY(tracefs, find_tracefs());
  tracefs_ = tracefs;
  remove_stale_instances(tracefs_);
  HAP_TRY(events, TraceEvents::read(tracefs_));
  events_ = events;
  HAP_TRY(table, FunctionTable::read(tracefs_));
  table_ = std::move(table);
  HAP_TRY(modules, loaded_modules());
  modules_ = modules;
  plan_.emplace(table_->size());
  reported_.assign(table_->size(), 0);
  HAP_TRY(instance, TraceInstance::create(tracefs_));
  instance_.emplace(std::move(instance));
  HAP_CHECK(set_up_filters());
  // An event for every system call would cost more than all the rest.
  if (auto counter = SystemCallCounter::attach()) counter_ = std::move(*counter);
  HAP_CHECK(watch(threads_.update(scope)));
  return open_buffers();
}

Status FtraceCollector::set_up_filters() {
  uint64_t size = options_.buffer_kib_per_cpu;
  if (size == 0) {
    struct sysinfo memory {};
    ::sysinfo(&memory);
    const uint64_t share = uint64_t{memory.totalram} * memory.mem_unit / 1024 / 32 /
                           static_cast<uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_CONF)));
    size = std::clamp<uint64_t>(share, 1 << 10, default_buffer_kib);
  }
  HAP_CHECK(instance_->write("buffer_size_kb", std::to_string(size)));
  // Children are followed by the kernel itself.
  HAP_CHECK(instance_->write("options/function-fork", "1"));
  HAP_CHECK(instance_->write("options/event-fork", "1"));
  // No thread at all, until there is one to watch: an empty filter would mean everybody.
  HAP_CHECK(instance_->write("set_ftrace_pid", nobody));
  return instance_->write("set_event_pid", nobody);
}

Status FtraceCollector::watch(const std::vector<ScopedThread>& threads) {
  if (threads.empty()) return {};
  std::string numbers;
  for (const ScopedThread& thread : threads) {
    numbers += fmt::format("{}\n", thread.tid);
    sink_->thread_seen(thread.tid, thread.thread_class);
  }
  if (counter_) counter_->watch(threads);
  HAP_CHECK(instance_->append("set_ftrace_pid", numbers));
  return instance_->append("set_event_pid", numbers);
}

// The tracer cannot be chosen while somebody has the buffers open, so it comes first, with recording off.
Status FtraceCollector::open_buffers() {
  HAP_CHECK(instance_->write("tracing_on", "0"));
  HAP_CHECK(instance_->write("current_tracer", "function"));
  HAP_CHECK(instance_->write("events/sched/sched_process_fork/enable", "1"));
  if (!counter_) HAP_CHECK(instance_->write("events/raw_syscalls/sys_enter/enable", "1"));
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(instance_->folder() + "/per_cpu", failure)) {
    Processor processor;
    const std::string name = entry.path().filename();
    processor.number = std::atoi(name.c_str() + 3);  // "cpu0"
    const std::string path = entry.path().string() + "/trace_pipe_raw";
    processor.pages.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!processor.pages.valid()) return explain_refusal("cannot read a trace buffer", errno).context(path);
    processors_.push_back(std::move(processor));
  }
  if (processors_.empty()) return Error("the tracing instance has no buffers").at(instance_->folder());
  return {};
}

Status FtraceCollector::begin_window(uint32_t /*id*/) {
  const double start = now_ns(CLOCK_MONOTONIC);
  sight_ = {};
  events_in_window_ = 0;
  calls_in_window_ = 0;
  if (counter_) calls_before_ = counter_->all();
  std::fill(reported_.begin(), reported_.end(), 0);
  plan_->begin_window();
  HAP_CHECK(look_after_modules());
  HAP_CHECK(recording_on_ ? instance_->write("set_ftrace_notrace", "") : instance_->write("tracing_on", "1"));
  recording_on_ = true;
  if (counter_) counter_->arm(true);
  sight_.blind_ns =
      static_cast<uint64_t>((now_ns(CLOCK_MONOTONIC) - start) * static_cast<double>(processors_.size()));
  wait_ = busy_wait;
  return {};
}

// Record numbers change when a module goes. Functions keep their places in the plan only if the list is the
// same, so another list starts a new one.
Status FtraceCollector::look_after_modules() {
  HAP_TRY(modules, loaded_modules());
  if (modules == modules_) return {};
  modules_ = modules;
  HAP_TRY(table, FunctionTable::read(tracefs_));
  note_censored();
  table_ = std::move(table);
  plan_.emplace(table_->size());
  reported_.assign(table_->size(), 0);
  return {};
}

Result<uint64_t> FtraceCollector::losses_so_far(const Processor& processor) const {
  HAP_TRY(stats, instance_->read(fmt::format("per_cpu/cpu{}/stats", processor.number)));
  return counter_of(stats, "\noverrun: ") + counter_of(stats, "\ncommit overrun: ") +
         counter_of(stats, "\ndropped events: ");
}

// Reads what there is, at most a buffer's worth per processor, so that it ends however much is produced.
Result<uint64_t> FtraceCollector::drain() {
  const uint64_t before = events_in_window_;
  const size_t most_pages = (default_buffer_kib << 10) / 4096;
  for (Processor& processor : processors_) {
    for (size_t pages = 0; pages < most_pages; ++pages) {
      const ssize_t size = ::read(processor.pages.get(), page_.data(), page_.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) break;
      if (size < 0) return Error::from_errno("cannot read a trace buffer", errno);
      if (size == 0) break;
      take_page(processor, std::span(page_).first(static_cast<size_t>(size)));
    }
  }
  return events_in_window_ - before;
}

void FtraceCollector::take_page(Processor& processor, std::span<const std::byte> bytes) {
  RingPage page(events_.page, bytes);
  while (const auto event = page.next()) {
    if (event->size() < end_of(events_.type)) continue;
    const auto type = load_field<uint16_t>(*event, events_.type);
    ++events_in_window_;
    if (type == events_.function && event->size() >= events_.function_size) {
      take_function(processor, *event);
    } else if (type == events_.system_call && event->size() >= events_.call_size) {
      const auto thread_class = threads_.find(load_field<int32_t>(*event, events_.pid));
      if (thread_class) {
        ++calls_in_window_;
        ++calls_[{*thread_class, static_cast<int32_t>(load_field<int64_t>(*event, events_.number))}];
      }
    } else if (type == events_.fork && event->size() >= events_.fork_size) {
      const auto child = load_field<int32_t>(*event, events_.fork_child);
      threads_.forked(load_field<int32_t>(*event, events_.fork_parent), child);
      if (const auto thread_class = threads_.find(child)) sink_->thread_seen(child, *thread_class);
    }
  }
  if (page.damaged()) ++damaged_pages_;
}

void FtraceCollector::take_function(Processor& processor, std::span<const std::byte> event) {
  const uint32_t function = table_->at_call_site(load_field<uint64_t>(event, events_.ip));
  if (function == FunctionTable::kUnknown) {
    ++unknown_functions_;
    return;
  }
  const auto caller = table_->caller(load_field<uint64_t>(event, events_.parent_ip));
  const FunctionTrait trait = table_->trait(function);
  const TraceEntry entry{load_field<uint8_t>(event, events_.flags), table_->symbol_of(function),
                         caller.symbol};
  const Cause cause = processor.context.classify(entry, trait, caller.trait);
  const auto tid = load_field<int32_t>(event, events_.pid);
  plan_->saw(function, cause == Cause::process && threads_.find(tid).has_value(),
             trait != FunctionTrait::none);
  if (trait == FunctionTrait::runs_guest && cause == Cause::process) {
    if (threads_.find(tid) != ThreadClass::vcpu) sink_->thread_seen(tid, ThreadClass::vcpu);
    threads_.set(tid, ThreadClass::vcpu);
    if (counter_) counter_->watch({{tid, 0, ThreadClass::vcpu}});
  }
  take_hit(function, tid, cause);
}

void FtraceCollector::take_hit(uint32_t function, pid_t tid, Cause cause) {
  if (const auto thread_class = threads_.find(tid)) {
    report(function, *thread_class, cause);
    return;
  }
  auto& hits = strangers_[tid];
  const Stranger hit{function, cause};
  if (std::find(hits.begin(), hits.end(), hit) == hits.end()) hits.push_back(hit);
}

void FtraceCollector::report(uint32_t function, ThreadClass thread_class, Cause cause) {
  if (thread_class == ThreadClass::none) return;
  const uint32_t bit =
      uint32_t{1} << ((static_cast<size_t>(thread_class) - 1) * causes + static_cast<size_t>(cause));
  if ((reported_[function] & bit) != 0) return;
  reported_[function] |= bit;
  sink_->hit((*table_)[function].address, thread_class, cause);
}

// A fork may be read later than what the child did on another processor. Whoever is still unknown then is
// somebody that the kernel's filter let through on the way in or out of a context switch.
void FtraceCollector::resolve_strangers() {
  for (const auto& [tid, hits] : strangers_) {
    auto thread_class = threads_.find(tid);
    if (!thread_class) thread_class = threads_.ask(tid);
    if (!thread_class) {
      foreign_entries_ += hits.size();
      continue;
    }
    for (const Stranger& hit : hits) report(hit.function, *thread_class, hit.cause);
  }
  strangers_.clear();
}

Status FtraceCollector::disarm() {
  std::string numbers;
  for (const uint32_t function : plan_->take()) numbers += fmt::format("{}\n", (*table_)[function].record);
  const double start = now_ns(CLOCK_THREAD_CPUTIME_ID);
  HAP_CHECK(instance_->append("set_ftrace_notrace", numbers));
  plan_->changed(now_ns(CLOCK_THREAD_CPUTIME_ID) - start);
  return {};
}

Result<milliseconds> FtraceCollector::pump() {
  const double start = now_ns(CLOCK_THREAD_CPUTIME_ID);
  HAP_TRY(count, drain());
  plan_->system_calls(calls_in_window_ + (counter_ ? counter_->all() - calls_before_ : 0));
  if (count > 1000) {
    // Writing an entry costs the traced thread about as much as reading and sorting it costs this one, with
    // the copy in between.
    plan_->set_entry_cost(3 * (now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / static_cast<double>(count));
  }
  resolve_strangers();
  if (plan_->worthwhile()) {
    HAP_CHECK(disarm());
    wait_ = busy_wait;
    return milliseconds(0);
  }
  wait_ = count > 10000 ? busy_wait : std::min(longest_wait, wait_ * 2);
  return wait_;
}

Status FtraceCollector::update_scope(const LiveScope& scope) {
  return watch(threads_.update(scope));
}

Result<WindowSight> FtraceCollector::end_window() {
  HAP_TRY(count, drain());
  (void)count;
  resolve_strangers();
  for (const auto& [key, number] : calls_) sink_->system_calls(key.first, key.second, number);
  calls_.clear();
  if (counter_) {
    counter_->arm(false);
    counter_->take([&](ThreadClass thread_class, int32_t number, uint64_t count) {
      sink_->system_calls(thread_class, number, count);
    });
  }
  for (Processor& processor : processors_) {
    HAP_TRY(lost, losses_so_far(processor));
    sight_.events_lost += lost - processor.lost_before;
    processor.lost_before = lost;
  }
  lost_ += sight_.events_lost;
  sight_.disarmed = plan_->disarmed();
  sight_.events = events_in_window_;
  return sight_;
}

void FtraceCollector::note_censored() {
  for (const uint32_t function : plan_->censored()) censored_.insert((*table_)[function].address);
}

Result<LiveStats> FtraceCollector::stop() {
  LiveStats stats;
  if (table_) {
    stats.observable = table_->size();
    for (const uint64_t address : table_->untraceable()) stats.unobservable.push_back({address, "notrace"});
    for (const auto& name : table_->unplaced()) {
      stats.more.push_back({"unplaced_function", 1, name});
    }
  }
  stats.events_lost = lost_;
  if (plan_) note_censored();
  stats.censored.assign(censored_.begin(), censored_.end());
  stats.more.push_back({"foreign_entries", foreign_entries_, "of threads outside the scope, dropped"});
  stats.more.push_back({"unknown_function_entries", unknown_functions_,
                        "entries at addresses of no listed function (trampolines, new modules)"});
  stats.more.push_back({"damaged_pages", damaged_pages_, "trace buffer pages that could not be read"});
  processors_.clear();
  counter_.reset();
  if (instance_) HAP_CHECK(instance_->remove());
  instance_.reset();
  return stats;
}

}  // namespace

std::unique_ptr<LiveCollector> make_ftrace_collector(const FtraceOptions& options) {
  return std::make_unique<FtraceCollector>(options);
}

}  // namespace hap::collect
