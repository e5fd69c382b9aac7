// A live measurement killed at any moment leaves nothing that the next hap does not clean, and what somebody
// else traces at the same time goes on undisturbed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "lab/live_machine.h"

namespace hap::testing {
namespace {

using ::testing::HasSubstr;

// Prints all settings of tracing that anybody could have changed, but for instances of hap's.
constexpr const char* state_function = R"sh(
state() {
  cd /sys/kernel/tracing
  for f in current_tracer tracing_on set_event set_ftrace_filter set_ftrace_notrace set_ftrace_pid buffer_size_kb; do
    echo "$f: $(cat $f)"
    echo "foreign $f: $(cat instances/foreign/$f)"
  done
  echo "traced: $(awk '{print $1}' enabled_functions | sort | md5sum)"
  echo "kprobes: $(cat kprobe_events)"
  ls /sys/fs/bpf
}
)sh";

struct Case {
  std::string collector;
  int kills;
};

class LiveCrash : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    auto machine = LiveMachine::start();
    ASSERT_GOOD(machine);
    machine_ = std::move(*machine);
    ASSERT_GOOD(machine_->install_hap());
    // Somebody else's tracing: one function and one event in an instance of their own.
    const auto foreign = machine_->shell(R"sh(
      cd /sys/kernel/tracing && mkdir instances/foreign && cd instances/foreign
      echo vfs_write > set_ftrace_filter && echo function > current_tracer
      echo 1 > events/sched/sched_process_exit/enable
      setsid sh -c 'while :; do dd if=/dev/zero of=/dev/null bs=1 count=50 2>/dev/null; sleep 0.1; done' > /dev/null 2>&1 &
      echo $! > /run/load.pid
    )sh");
    ASSERT_GOOD(foreign);
    ASSERT_EQ(foreign->status, 0) << foreign->err;
  }

  std::unique_ptr<LiveMachine> machine_;
};

// Intent: kills while attaching (two of five), in windows, while arming again, and while stopping. After
// each, tracing is as it was before once the next hap has begun, which here is one that finds nothing to
// record.
TEST_P(LiveCrash, KilledAtRandomMoments) {
  const auto run = machine_->shell(std::string(state_function) + "kills=" + std::to_string(GetParam().kills) +
                                       "\ncollector=" + GetParam().collector + R"sh(
    RANDOM=20260101
    log=/run/k.log
    state > /run/before
    start() {
      : > $log
      hap record --collector $collector --pid $(cat /run/load.pid) --window 0.4 -o /run/k.hap > $log 2>&1 & pid=$!
    }
    await() { until [ $(grep -c $1 $log) -ge $2 ]; do kill -0 $pid || { cat $log; exit 1; }; sleep 0.05; done; }
    pause() { ms=$((RANDOM % $1)); sleep $(printf '%d.%03d' $((ms / 1000)) $((ms % 1000))); }
    for i in 1 2; do  # the second is as quick as all that follow
      begun=$(date +%s%3N); start; await ^recording 1; attaching=$(($(date +%s%3N) - begun))
      kill -9 $pid; wait $pid 2>/dev/null
    done
    worst=0; same=0; cleaned=0; early=0
    for i in $(seq $kills); do
      start
      case $((i % 5)) in
        # Watching for the end of attaching makes it longer; so that some kill comes before in any case:
        0|1) pause $((i == 1 ? attaching / 4 : attaching)) ;;
        2) await ^recording 1; pause 1500 ;;
        3) await ^window $((1 + RANDOM % 3)); pause 60 ;;
        4) await ^recording 1; pause 500; kill -INT $pid; pause 500 ;;
      esac
      kill -9 $pid; wait $pid 2>/dev/null
      left=$(ls /sys/kernel/tracing/instances | grep -c ^hapmeter-)
      [ $left -gt $worst ] && worst=$left
      grep -q ^recording $log || early=$((early + 1))
      state > /run/after
      if ! cmp -s /run/before /run/after || [ $left -gt 0 ]; then
        hap record --collector ftrace --pid 4194303 > /run/next.log 2>&1
        cleaned=$((cleaned + 1)); state > /run/after
      fi
      diff /run/before /run/after && same=$((same + 1))
    done
    echo "attaching takes $attaching ms here; $early of $kills kills came before it was done"
    echo "at most $worst instances left by a kill, $(ls /sys/kernel/tracing/instances | grep -c ^hapmeter-) in the end"
    echo "tracing as before after $same of $kills kills, $cleaned of them cleaned by the next hap"
  )sh",
                                   std::chrono::minutes(28));
  ASSERT_GOOD(run);
  std::printf("%s", run->out.c_str());
  const auto kills = std::to_string(GetParam().kills);
  EXPECT_THAT(run->out, HasSubstr("0 in the end"));
  EXPECT_THAT(run->out, HasSubstr("after " + kills + " of " + kills + " kills")) << run->err;
  EXPECT_THAT(run->out, ::testing::Not(HasSubstr("; 0 of " + kills))) << "none while attaching";
}

// Intent: the other tracer sees exactly the calls that were made, before, while and after hap records.
TEST_P(LiveCrash, ForeignTracersGoOnUndisturbed) {
  const auto run = machine_->shell(std::string(state_function) + R"sh(
    kill $(cat /run/load.pid); sleep 0.5
    cp /usr/bin/dd /run/counted  # a name that the load does not have
    count() {  # calls of vfs_write that the other tracer sees of a program that makes 1000 of them
      cd /sys/kernel/tracing/instances/foreign; echo > trace
      /run/counted if=/dev/zero of=/dev/null bs=1 count=1000 2>/dev/null
      grep -c 'counted-.*vfs_write' trace
    }
    state > /run/before
    echo "before $(count)"
    setsid sh -c 'while :; do dd if=/dev/zero of=/dev/null bs=1 count=50 2>/dev/null; done' > /dev/null 2>&1 &
    load=$!
    hap record --collector )sh" + GetParam().collector +
                                   R"sh( --pid $load --window 3 -o /run/f.hap > /run/f.log 2>&1 &
    pid=$!
    for i in $(seq 300); do grep -q ^recording /run/f.log && break; sleep 0.1; done
    echo "while $(count)"
    sleep 4
    echo "while $(count)"
    kill -INT $pid; wait $pid; echo "status $?"
    kill $load
    echo "after $(count)"
    state > /run/after
    diff /run/before /run/after && echo same
    cat /run/f.log
  )sh");
  ASSERT_GOOD(run);
  std::printf("%s", run->out.c_str());
  const auto calls = [&](const std::string& when) {
    std::vector<int> counts;
    for (size_t at = run->out.find(when); at != std::string::npos; at = run->out.find(when, at + 1)) {
      counts.push_back(std::atoi(run->out.c_str() + at + when.size()));
    }
    return counts;
  };
  EXPECT_THAT(calls("before "), ::testing::ElementsAre(::testing::Ge(1000)));
  const int expected = calls("before ").front();
  EXPECT_THAT(calls("while "), ::testing::ElementsAre(expected, expected));
  EXPECT_THAT(calls("after "), ::testing::ElementsAre(expected));
  EXPECT_THAT(run->out, HasSubstr("status 0"));
  EXPECT_THAT(run->out, HasSubstr("\nsame\n")) << run->err;
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return info.param.collector;
}

// Each kill needs hap to start and attach, some ten seconds: a few of them in every run of the tests, once in
// each phase; fifty by `./test long`.
INSTANTIATE_TEST_SUITE_P(Some, LiveCrash, ::testing::Values(Case{"ftrace", 5}, Case{"bpf", 5}), name_of);
INSTANTIATE_TEST_SUITE_P(Long, LiveCrash, ::testing::Values(Case{"ftrace", 30}, Case{"bpf", 20}), name_of);

}  // namespace
}  // namespace hap::testing
