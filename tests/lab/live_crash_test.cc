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

class LiveCrash : public ::testing::TestWithParam<std::string> {
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
      setsid sh -c 'while :; do dd if=/dev/zero of=/dev/null bs=1 count=50 2>/dev/null; done' > /dev/null 2>&1 &
      echo $! > /run/load.pid
    )sh");
    ASSERT_GOOD(foreign);
    ASSERT_EQ(foreign->status, 0) << foreign->err;
  }

  std::unique_ptr<LiveMachine> machine_;
};

// Intent: fifty kills, spread over start, windows and re-arming.
TEST_P(LiveCrash, KilledAtFiftyRandomMoments) {
  const auto run = machine_->shell(
      std::string(state_function) + R"sh(
    RANDOM=20260101
    state > /run/before
    start() { hap record --collector )sh" +
          GetParam() +
          R"sh( --pid $(cat /run/load.pid) --window 0.4 -o /run/k.hap > /run/k.log 2>&1 & pid=$!; }
    # How long attaching takes here: kills are spread over that and two seconds of windows.
    begun=$(date +%s%3N); start
    until grep -q ^recording /run/k.log; do kill -0 $pid || { cat /run/k.log; exit 1; }; sleep 0.05; done
    span=$(($(date +%s%3N) - begun + 2000)); kill -9 $pid; wait $pid 2>/dev/null
    worst=0
    for i in $(seq 50); do
      start
      ms=$((RANDOM * 32768 + RANDOM)); ms=$((ms % span))
      sleep $(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))
      kill -9 $pid; wait $pid 2>/dev/null
      left=$(ls /sys/kernel/tracing/instances | grep -c ^hapmeter-)
      [ $left -gt $worst ] && worst=$left
      grep -c ^window /run/k.log >> /run/windows
    done
    echo "attaching and two seconds: $span ms"
    hap doctor --quick > /run/doctor.txt 2>&1
    echo "at most $worst instances left by a kill, $(ls /sys/kernel/tracing/instances | grep -c ^hapmeter-) in the end"
    echo "kills before the first window ended: $(grep -c ^0 /run/windows) of 50"
    state > /run/after
    diff /run/before /run/after && echo same
    ls /run/k.hap* 2>/dev/null | wc -l
  )sh",
      std::chrono::minutes(25));
  ASSERT_GOOD(run);
  std::printf("%s", run->out.c_str());
  EXPECT_THAT(run->out, HasSubstr("0 in the end"));
  EXPECT_THAT(run->out, HasSubstr("\nsame\n")) << run->err;
  EXPECT_THAT(run->out, ::testing::Not(HasSubstr("ended: 50 of 50"))) << "no window was ever reached";
}

// Intent: the other tracer sees exactly the calls that were made, before, while and after hap records.
TEST_P(LiveCrash, ForeignTracersGoOnUndisturbed) {
  const auto run = machine_->shell(std::string(state_function) + R"sh(
    kill $(cat /run/load.pid); sleep 0.5
    count() {  # calls of vfs_write that the other tracer sees of a program that makes 1000 of them
      cd /sys/kernel/tracing/instances/foreign; echo > trace
      dd if=/dev/zero of=/dev/null bs=1 count=1000 2>/dev/null
      grep -c 'dd-.*vfs_write' trace
    }
    state > /run/before
    echo "before $(count)"
    setsid sh -c 'while :; do dd if=/dev/zero of=/dev/null bs=1 count=50 2>/dev/null; done' > /dev/null 2>&1 &
    load=$!
    hap record --collector )sh" + GetParam() +
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

std::vector<std::string> collectors() {
  return {
    "ftrace"
#if __has_include("collect/bpf/bpf_collector.h")
        ,
        "bpf"
#endif
  };
}

INSTANTIATE_TEST_SUITE_P(Collectors, LiveCrash, ::testing::ValuesIn(collectors()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hap::testing
