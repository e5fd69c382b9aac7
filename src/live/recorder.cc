#include "live/recorder.h"

#include <poll.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>

#include "live/hit_book.h"
#include "live/live_rows.h"
#include "live/privileges.h"

namespace hap::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

// How often members of cgroups are looked up; and all the rest, which reads about every process of the
// machine: a tenth of the recording apart, within these. What watched threads fork is followed at once,
// without this.
constexpr milliseconds membership_interval{200};
constexpr milliseconds everything_interval{5000};
constexpr milliseconds longest_everything_interval{30000};

int64_t monotonic_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void wait_for(const CancelToken& stop, milliseconds time) {
  pollfd cancelled{stop.poll_fd(), POLLIN, 0};
  ::poll(&cancelled, 1, static_cast<int>(time.count()));
}

// While functions are being taken off, the service still pays for each entry of them: the sooner it is done
// the better. Without the right to go first it takes longer, and that is all.
void go_before_others() {
  constexpr int priority = -10;
  (void)::setpriority(PRIO_PROCESS, 0, priority);
}

class Session {
 public:
  Session(const RecordPlan& plan, ScopeFinder& scope, collect::LiveCollector& collector, HeldCommand* command,
          const CancelToken& stop)
      : plan_(plan), scope_(scope), collector_(collector), command_(command), stop_(stop) {}

  Result<RecordOutcome> run();

 private:
  bool over() const;
  Status look_after_scope();
  Status run_window();
  Status give_up_privileges();
  Status windows();

  const RecordPlan& plan_;
  ScopeFinder& scope_;
  collect::LiveCollector& collector_;
  HeldCommand* command_;
  const CancelToken& stop_;
  HitBook book_;
  LiveRows rows_;
  Clock::time_point started_;
  Clock::time_point members_looked_up_;
  Clock::time_point everything_looked_up_;
  std::vector<Window> windows_;
  std::vector<collect::WindowSight> sights_;
};

bool Session::over() const {
  if (stop_.requested()) return true;
  if (plan_.duration && Clock::now() - started_ >= *plan_.duration) return true;
  return command_ != nullptr ? command_->ended().has_value() : scope_.ended();
}

Status Session::look_after_scope() {
  const auto now = Clock::now();
  const auto interval =
      std::clamp<Clock::duration>((now - started_) / 10, everything_interval, longest_everything_interval);
  const bool everything = now - everything_looked_up_ >= interval;
  if (!everything && (!scope_.has_changing_members() || now - members_looked_up_ < membership_interval)) {
    return {};
  }
  members_looked_up_ = now;
  if (everything) everything_looked_up_ = now;
  const auto scope = scope_.look(everything);
  rows_.note_threads(scope);
  return collector_.update_scope(scope);
}

Status Session::run_window() {
  Window window;
  window.id = static_cast<uint32_t>(windows_.size() + 1);
  window.start_ns = monotonic_ns();
  book_.open_window(window.id);
  HAP_CHECK(collector_.begin_window(window.id));
  const auto opened = Clock::now();
  if (windows_.empty()) {
    started_ = opened;
    if (command_ != nullptr) HAP_CHECK(command_->release());
    if (plan_.on_recording) plan_.on_recording();
  }
  for (;;) {
    HAP_TRY(pause, collector_.pump());
    rows_.note_threads(book_.take_new_threads());
    HAP_CHECK(look_after_scope());
    const auto left = std::chrono::ceil<milliseconds>(plan_.window - (Clock::now() - opened));
    if (left.count() <= 0 || over()) break;
    if (pause.count() > 0) wait_for(stop_, std::min(pause, left));
  }
  HAP_TRY(sight, collector_.end_window());
  rows_.note_threads(book_.take_new_threads());
  window.end_ns = monotonic_ns();
  windows_.push_back(window);
  sights_.push_back(sight);
  if (plan_.on_window) plan_.on_window(window.id, sight, book_.functions());
  return {};
}

Status Session::windows() {
  do {
    HAP_CHECK(run_window());
  } while (!over());
  return {};
}

Status Session::give_up_privileges() {
  if (!plan_.drop_privileges) return {};
  // Symbols of modules loaded meanwhile are read at the end, other processes' descriptors and threads all the
  // time; the recording's folder may belong to somebody else.
  std::vector<std::string> keep = {"CAP_SYSLOG", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"};
  const auto more = collector_.capabilities_to_keep();
  keep.insert(keep.end(), more.begin(), more.end());
  return keep_capabilities(keep);
}

Result<RecordOutcome> Session::run() {
  HAP_TRY(writer, RecordingWriter::create(plan_.output));
  const auto first = scope_.look(true);
  members_looked_up_ = everything_looked_up_ = Clock::now();
  rows_.note_threads(first);
  if (const auto started = collector_.start(first, book_); !started) {
    (void)collector_.stop();
    return started.error();
  }
  go_before_others();
  Status done = give_up_privileges();
  if (done) done = windows();
  const auto stopped = collector_.stop();
  if (!done) return done.error();
  if (!stopped) return stopped.error();

  HAP_CHECK(rows_.write({plan_.meta, collector_.name(), scope_, book_, windows_, sights_, *stopped}, writer));
  HAP_CHECK(writer.finish());
  RecordOutcome outcome;
  outcome.windows = static_cast<uint32_t>(windows_.size());
  outcome.seconds = static_cast<double>(windows_.back().end_ns - windows_.front().start_ns) / 1e9;
  outcome.functions = book_.functions();
  outcome.events_lost = stopped->events_lost;
  outcome.missed_task = stopped->missed_task;
  if (command_ != nullptr) outcome.command_status = command_->ended();
  return outcome;
}

}  // namespace

Result<RecordOutcome> record(const RecordPlan& plan, ScopeFinder& scope, collect::LiveCollector& collector,
                             HeldCommand* command, const CancelToken& stop) {
  return Session(plan, scope, collector, command, stop).run();
}

}  // namespace hap::live
