#include "collect/bpf/bpf_collector.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <numeric>
#include <optional>
#include <thread>

#include "base/file.h"
#include "collect/bpf/arming.h"
#include "collect/bpf/calibration.h"
#include "collect/bpf/entry_links.h"
#include "collect/bpf/function_choice.h"
#include "collect/bpf/kernel_program.h"
#include "collect/traceable.h"
#include "live_program.h"

namespace hap::collect {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto longest_pause = 100ms;
// The first look at a window's entries: by then a busy service has entered what it enters all the time.
constexpr auto first_look = 10ms;
// A look is as far from the one before as the window was old then, divided by this.
constexpr int looks_per_doubling = 4;
static_assert(kOften <= uint32_t{HAP_MOST_TIMES});
// Links beyond this many are joined when the next window begins.
constexpr size_t most_links = 6;
// How long a window is taken to be before one has ended.
constexpr auto assumed_window = 60s;
// With that many functions a link is the large one, which is never joined with others.
constexpr size_t large_link = 8192;

struct WatchedLink {
  EntryLink link;
  LinkAccount account;
  uint32_t number = 0;  // counted from 1 as they are made
};

class BpfCollector : public LiveCollector {
 public:
  std::string_view name() const override { return "bpf"; }
  Probe probe() override;
  Status start(const LiveScope& scope, HitSink& sink) override;
  Status begin_window(uint32_t id) override;
  Result<std::chrono::milliseconds> pump() override;
  Status update_scope(const LiveScope& scope) override;
  Result<WindowSight> end_window() override;
  Result<LiveStats> stop() override;
  std::vector<std::string> capabilities_to_keep() const override { return {"CAP_BPF", "CAP_PERFMON"}; }

 private:
  void take_choice(FunctionChoice choice);
  Status attach_first();
  Status attach(std::vector<uint32_t> functions);
  // Of `entered`, those on this link that are done in this window, in that order.
  std::vector<uint32_t> done_on(const WatchedLink& watched, const std::vector<uint32_t>& entered,
                                const WindowProgress& window) const;
  Status look(Clock::time_point now);
  Status close(WatchedLink& watched);
  void report_system_calls();
  Result<uint64_t> missed_on_links() const;
  Status count_misses();

  HitSink* sink_ = nullptr;
  std::optional<KernelProgram> program_;
  std::vector<uint64_t> addresses_;                 // by function number
  std::vector<std::vector<uint32_t>> first_links_;  // functions to attach to, ascending
  std::optional<uint32_t> getppid_;
  CompanionFunctions companions_;
  MakeLink make_link_;
  TracingCosts costs_;
  std::vector<WatchedLink> links_;
  uint32_t links_made_ = 0;
  std::vector<uint32_t> on_link_;       // by function number: number of the link it was last attached with
  std::vector<uint32_t> unwatched_;     // taken off, until the next window
  std::vector<uint32_t> entries_seen_;  // at the last look, by function number
  // By function number, of all windows: taken off without having been seen in a process; and seen in one.
  std::vector<bool> cut_short_;
  std::vector<bool> seen_in_process_;
  Clock::time_point window_begin_;
  Clock::time_point last_look_;
  Clock::time_point next_look_;
  std::chrono::nanoseconds window_length_ = assumed_window;
  uint64_t taken_off_ = 0;                                        // in this window
  uint64_t missed_on_closed_ = 0;                                 // of links closed
  uint64_t missed_on_links_ = 0;                                  // in windows
  uint64_t calls_before_ = 0;                                     // system calls when the window began
  uint64_t links_before_ = 0;                                     // missed on links when the window began
  KernelProgram::Misses before_;                                  // of the program when the window began
  KernelProgram::Misses missed_;                                  // in windows
  std::array<uint64_t, kThreadClasses> compat_calls_reported_{};  // by class
  LiveStats stats_;
};

Probe BpfCollector::probe() {
  const auto unusable = [](const Error& error) { return Probe{false, error.to_string(), error.hint()}; };
  const auto program = KernelProgram::load({}, {});
  if (!program) return unusable(program.error());
  const auto tracefs = find_tracefs();
  if (!tracefs) return unusable(tracefs.error());
  static constexpr const char* tried[] = {"__x64_sys_getppid", "__do_sys_getppid"};
  const auto attached = attach_by_name(program->entry_program(), tried);
  if (!attached) return unusable(attached.error());
  return Probe{true, {}, {}};
}

void BpfCollector::take_choice(FunctionChoice choice) {
  addresses_ = std::move(choice.addresses);
  first_links_ = choice.first_links();
  getppid_ = choice.getppid;
  stats_.unobservable = std::move(choice.unobservable);
  if (choice.unplaced != 0) {
    stats_.more.push_back({"unplaced_function", choice.unplaced,
                           "traceable functions whose address could not be told from their name"});
  }
  stats_.more.push_back(
      {"unobservable_own", choice.own_functions, "the tracer runs them: " + choice.own_names});
}

Status BpfCollector::start(const LiveScope& scope, HitSink& sink) {
  sink_ = &sink;
  HAP_TRY(choice, choose_functions());
  companions_ = choice.companions;
  take_choice(std::move(choice));
  HAP_TRY(program, KernelProgram::load(addresses_, companions_));
  program_ = std::move(program);
  entries_seen_.resize(addresses_.size());
  cut_short_.resize(addresses_.size());
  seen_in_process_.resize(addresses_.size());
  on_link_.resize(addresses_.size());
  const Status attached = [&]() -> Status {
    HAP_CHECK(update_scope(scope));
    HAP_CHECK(program_->attach_companions());
    return attach_first();
  }();
  if (!attached) {
    links_.clear();
    program_.reset();
    return attached.error();
  }
  for (const auto& number : {companions_.irq_enter, companions_.irq_exit, companions_.rcu_special,
                             companions_.system_call, companions_.compat_call}) {
    if (number) ++stats_.observable;
  }
  return {};
}

Status BpfCollector::attach_first() {
  make_link_ = kprobe_multi_links(program_->entry_program(), addresses_);
  if (getppid_) {
    program_->arm(true);
    program_->tell_by_address(true);
    auto costs = calibrate(*getppid_, make_link_);
    if (costs && program_->entries(*getppid_) == 0) {  // this kernel shows another address
      program_->tell_by_address(false);
      costs = calibrate(*getppid_, make_link_);
    }
    program_->arm(false);
    if (!costs) return costs.error();
    costs_ = *costs;
  }
  const auto before = thread_time();
  size_t functions = 0;
  for (auto& group : first_links_) {
    functions += group.size();
    HAP_CHECK(attach(std::move(group)));
  }
  const auto took = static_cast<double>((thread_time() - before).count());
  // Closing costs about what attaching does.
  const double links = costs_.link / 2 * static_cast<double>(links_.size());
  costs_.function = 2 * std::max(took - links, 0.0) / static_cast<double>(functions);
  for (const auto& watched : links_) stats_.observable += watched.account.functions();
  return {};
}

Status BpfCollector::attach(std::vector<uint32_t> functions) {
  if (functions.empty()) return {};
  HAP_TRY(result, attach_all(functions, make_link_));
  for (auto& link : result.links) {
    const size_t count = link.functions.size();
    ++links_made_;
    for (const uint32_t function : link.functions) on_link_[function] = links_made_;
    links_.push_back({std::move(link), LinkAccount(count), links_made_});
  }
  for (const uint32_t function : result.refused) {
    stats_.unobservable.push_back({addresses_[function], "refused by the kernel"});
  }
  return {};
}

Status BpfCollector::close(WatchedLink& watched) {
  HAP_TRY(missed, missed_entries(watched.link));
  missed_on_closed_ += missed;
  watched.link.fd.reset();
  return {};
}

Result<uint64_t> BpfCollector::missed_on_links() const {
  uint64_t sum = missed_on_closed_;
  for (const auto& watched : links_) {
    HAP_TRY(missed, missed_entries(watched.link));
    sum += missed;
  }
  return sum;
}

// What was skipped in the window that has just ended.
Status BpfCollector::count_misses() {
  HAP_TRY(misses, program_->misses());
  // An interrupt that is being served is accounted for when it ends.
  for (int attempt = 0; attempt < 10 && misses.other > before_.other; ++attempt) {
    std::this_thread::sleep_for(1ms);
    HAP_TRY(again, program_->misses());
    misses = again;
  }
  missed_.interrupt += misses.interrupt - before_.interrupt;
  missed_.own += misses.own - before_.own;
  missed_.other += misses.other - before_.other;
  HAP_TRY(on_links, missed_on_links());
  missed_on_links_ += on_links - links_before_;
  return {};
}

Status BpfCollector::begin_window(uint32_t) {
  std::vector<uint32_t> functions = std::move(unwatched_);
  unwatched_.clear();
  // Many small links would each cost at every change of the kernel's text.
  std::vector<WatchedLink> joined;
  if (links_.size() >= most_links) {
    for (auto& watched : links_) {
      if (watched.account.functions() >= large_link) continue;
      functions.insert(functions.end(), watched.link.functions.begin(), watched.link.functions.end());
      joined.push_back(std::move(watched));
    }
    std::erase_if(links_, [](const auto& watched) { return !watched.link.fd.valid(); });
  }
  std::sort(functions.begin(), functions.end());
  HAP_CHECK(attach(std::move(functions)));
  for (auto& watched : joined) HAP_CHECK(close(watched));
  for (auto& watched : links_) watched.account.begin_window();
  program_->clear();
  std::fill(entries_seen_.begin(), entries_seen_.end(), 0);
  taken_off_ = 0;
  HAP_TRY(on_links, missed_on_links());
  links_before_ = on_links;
  HAP_TRY(misses, program_->misses());
  before_ = misses;
  calls_before_ = program_->all_system_calls();
  window_begin_ = last_look_ = Clock::now();
  next_look_ = window_begin_ + first_look;
  program_->arm(true);
  return {};
}

std::vector<uint32_t> BpfCollector::done_on(const WatchedLink& watched, const std::vector<uint32_t>& entered,
                                            const WindowProgress& window) const {
  std::vector<uint32_t> done;
  for (const uint32_t function : entered) {
    if (on_link_[function] != watched.number) continue;
    const Sighting seen{program_->hit(function, Cause::process), program_->times_in_interrupts(function),
                        program_->times_on_kernel_threads(function), program_->entries(function)};
    if (done_with(seen, window)) done.push_back(function);
  }
  return done;
}

Status BpfCollector::look(Clock::time_point now) {
  const auto elapsed = now - window_begin_;
  const LookTimes times{now - last_look_, elapsed, window_length_ - elapsed};
  const auto entered = program_->entered();
  const WindowProgress window{program_->all_system_calls() - calls_before_, elapsed};
  const size_t count = links_.size();  // links made here need no look yet
  for (size_t i = 0; i < count; ++i) {
    const auto& functions = links_[i].link.functions;
    const auto done = done_on(links_[i], entered, window);
    uint64_t entries = 0;
    for (const uint32_t function : done) entries += program_->entries(function) - entries_seen_[function];
    const size_t rest = functions.size() - done.size();
    if (!links_[i].account.worth_replacing(entries, rest, times, costs_)) continue;
    std::vector<uint32_t> keep;
    keep.reserve(rest);
    std::set_difference(functions.begin(), functions.end(), done.begin(), done.end(),
                        std::back_inserter(keep));
    taken_off_ += done.size();
    for (const uint32_t function : done) {
      if (!program_->hit(function, Cause::process)) cut_short_[function] = true;
    }
    const auto before = thread_time();
    HAP_CHECK(attach(std::move(keep)));  // before the old one goes, so that nothing is unwatched in between
    HAP_CHECK(close(links_[i]));
    costs_.learn(done.size() + rest, rest, thread_time() - before);
    unwatched_.insert(unwatched_.end(), done.begin(), done.end());
  }
  std::erase_if(links_, [](const auto& watched) { return !watched.link.fd.valid(); });
  for (const uint32_t function : entered) entries_seen_[function] = program_->entries(function);
  last_look_ = Clock::now();
  return {};
}

Result<std::chrono::milliseconds> BpfCollector::pump() {
  const auto now = Clock::now();
  if (now >= next_look_) {
    HAP_CHECK(look(now));
    // The longer all has been quiet, the less there is to see. Counted from the beginning of this look: when
    // it took long, for it changed links, there is something to see already.
    next_look_ = now + std::max<Clock::duration>(now - window_begin_, first_look) / looks_per_doubling;
  }
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(next_look_ - Clock::now());
  return std::clamp<std::chrono::milliseconds>(pause, 1ms, longest_pause);
}

Status BpfCollector::update_scope(const LiveScope& scope) {
  const auto table = program_->threads();
  for (const auto& thread : scope.threads) {
    if (thread.tid > 0 && thread.tid < int{HAP_THREADS}) {
      table[static_cast<size_t>(thread.tid)] = static_cast<uint8_t>(thread.thread_class);
    }
  }
  for (const pid_t group : scope.never) {
    std::error_code failed;
    const std::string folder = "/proc/" + std::to_string(group) + "/task";
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
      const std::string name = entry.path().filename();
      size_t tid = 0;
      const auto parsed = std::from_chars(name.data(), name.data() + name.size(), tid);
      if (parsed.ec == std::errc() && tid < size_t{HAP_THREADS}) table[tid] = HAP_CLASS_NEVER;
    }
  }
  return program_->watch_cgroups(scope.cgroups);
}

Result<WindowSight> BpfCollector::end_window() {
  program_->arm(false);
  window_length_ = Clock::now() - window_begin_;
  HAP_CHECK(count_misses());
  program_->for_each_hit([&](uint32_t function, ThreadClass thread_class, Cause cause) {
    sink_->hit(addresses_[function], thread_class, cause);
    if (cause == Cause::process) seen_in_process_[function] = true;
  });
  report_system_calls();
  WindowSight sight;
  sight.disarmed = taken_off_;
  return sight;
}

// A thread that made a system call has entered the kernel's function for those, whose program does not note
// it.
void BpfCollector::report_system_calls() {
  const auto entered = [&](const std::optional<uint32_t>& function, ThreadClass thread_class) {
    if (!function) return;
    sink_->hit(addresses_[*function], thread_class, Cause::process);
    seen_in_process_[*function] = true;
  };
  program_->take_system_calls([&](ThreadClass thread_class, int32_t number, uint64_t count) {
    sink_->system_calls(thread_class, number, count);
    entered(companions_.system_call, thread_class);
  });
  for (size_t number = 1; number < kThreadClasses; ++number) {
    const auto thread_class = static_cast<ThreadClass>(number);
    const uint64_t count = program_->compat_calls(thread_class);
    uint64_t& reported = compat_calls_reported_[number];
    if (count > reported) entered(companions_.compat_call, thread_class);
    reported = count;
  }
}

Result<LiveStats> BpfCollector::stop() {
  if (program_) {
    program_->arm(false);
    for (auto& watched : links_) HAP_CHECK(close(watched));
    links_.clear();
    const auto count = [](int64_t missed) { return static_cast<uint64_t>(std::max<int64_t>(missed, 0)); };
    stats_.missed_task = count(missed_.other) + missed_on_links_;
    stats_.missed_interrupt = count(missed_.interrupt);
    stats_.more.push_back({"missed_own", count(missed_.own), "entries of the tracer's own call tree"});
    for (size_t i = 0; i < cut_short_.size(); ++i) {
      if (cut_short_[i] && !seen_in_process_[i]) stats_.censored.push_back(addresses_[i]);
    }
    const uint64_t calls =
        std::accumulate(compat_calls_reported_.begin(), compat_calls_reported_.end(), uint64_t{0});
    if (calls != 0) {
      stats_.more.push_back({"compat_system_calls", calls, "system calls of 32-bit programs, not listed"});
    }
    program_.reset();
  }
  return std::move(stats_);
}

}  // namespace

std::unique_ptr<LiveCollector> make_bpf_collector() {
  return std::make_unique<BpfCollector>();
}

}  // namespace hap::collect
