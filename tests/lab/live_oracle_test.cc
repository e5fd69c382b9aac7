// A live collector in the lab machine, and the emulator watching the same run from outside.
//
// Marks bracket the load: `inner` begins after hap said that it records and ends before it is told to stop,
// `outer` reaches from before its start to after its end. For traceable functions, by address:
//
//   oracle(inner)  is in  live  is in  oracle(outer)
//
// with load enough that both collectors take off what runs by the packet, in softirqs only (their patience is
// 2,000 entries), up to the exceptions below, each with its cause; docs/validity.md explains them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "collect/emulator/emulator_collector.h"
#include "lab/live_machine.h"
#include "lab/live_oracle.h"

namespace hap::testing {
namespace {

// Functions that the oracle sees in the task and the collector does not, by cause. The filter by thread of
// ftrace is decided at the tracepoint in the scheduler: what the kernel runs between that and the switch
// itself still belongs to the thread that leaves, but is filtered as if the next one did it. The bpf
// collector does not attach to what the kernel runs around its own programs.
constexpr const char* switch_tail = "between the scheduler's tracepoint and the switch itself";
constexpr const char* tracer_itself = "run by the tracer itself, not attached to, reported as unobservable";
const std::map<std::string, std::string>& unseen_by(const std::string& collector) {
  static const std::map<std::string, std::string> ftrace = {{"enter_lazy_tlb", switch_tail},
                                                            {"load_new_mm_cr3", switch_tail},
                                                            {"save_fpregs_to_fpstate", switch_tail},
                                                            {"switch_ldt", switch_tail},
                                                            {"switch_mm_irqs_off", switch_tail}};
  static const std::map<std::string, std::string> bpf = {{"__rcu_read_lock", tracer_itself},
                                                         {"copy_from_kernel_nofault", tracer_itself},
                                                         {"copy_from_kernel_nofault_allowed", tracer_itself},
                                                         {"__rcu_read_unlock", tracer_itself},
                                                         {"bpf_this_cpu_ptr", tracer_itself},
                                                         {"migrate_disable", tracer_itself},
                                                         {"migrate_enable", tracer_itself}};
  return collector == "bpf" ? bpf : ftrace;
}

struct Case {
  std::string suite;
  std::string collector;
};

constexpr uint64_t requests_of_each = 3000;

class LiveOracle : public ::testing::TestWithParam<Case> {
 protected:
  static constexpr const char* comm = "redis-server";

  void measure() {
    auto folder = TempDir::create("/var/tmp");
    ASSERT_GOOD(folder);
    folder_ = std::make_unique<TempDir>(std::move(*folder));
    lab::LabSpec spec;
    spec.suite = GetParam().suite;
    NoProgress progress;
    auto lab = lab::open_lab(spec, progress, {});
    ASSERT_GOOD(lab);
    ASSERT_GOOD(collect::write_hooks(lab->checkpoint.file(lab::kKallsyms), lab->checkpoint.file(lab::kBtf),
                                     folder_->file("hooks")));
    auto plugin = collect::qemu_plugin_argument(HAP_BINARY_DIR "/emulator-plugin/libhap-emulator.so",
                                                folder_->file("hooks"), folder_->file("stream"));
    ASSERT_GOOD(plugin);
    auto machine = LiveMachine::start(spec, *plugin);
    ASSERT_GOOD(machine);
    ASSERT_GOOD((*machine)->install_hap());
    auto mark = read_file(HAP_MARK_PROGRAM);
    ASSERT_GOOD(mark);
    ASSERT_GOOD((*machine)->put("/run/mark", *mark, 0755));
    auto run = (*machine)->shell(R"(
      set -e
      cat /sys/kernel/tracing/available_filter_functions_addrs > /run/functions 2>/dev/null ||
        cat /sys/kernel/tracing/available_filter_functions > /run/functions
      cat /proc/kallsyms > /run/kallsyms
      setsid redis-server --port 7777 --save '' --daemonize no > /run/redis.log 2>&1 &
      for i in $(seq 200); do redis-cli -p 7777 ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
      pid=$(pidof redis-server)
      redis-benchmark -p 7777 -n 50 -c 1 -t set,get > /dev/null
      mark 1 0; mark 3 2; mark 5 1
      setsid hap record --collector )" +
                                     GetParam().collector +
                                     R"( --pid $pid --window 600 -o /run/live.hap > /run/live.log 2>&1 &
      hap=$!
      for i in $(seq 6000); do grep -q ^recording /run/live.log && break; kill -0 $hap; sleep 0.1; done
      grep -q ^recording /run/live.log
      mark 5 2
      redis-benchmark -p 7777 -n )" + std::to_string(requests_of_each) +
                                     R"( -c 1 -t set,get > /dev/null
      mark 5 3
      kill -INT $hap; wait $hap
      mark 4 2; mark 2 0
      cat /run/live.log
    )",
                                 std::chrono::minutes(14));
    ASSERT_GOOD(run);
    auto log = (*machine)->get("/run/live.log");
    ASSERT_EQ(run->status, 0) << run->out << run->err << (log ? *log : "");
    std::printf("%s", run->out.c_str());
    auto functions = (*machine)->get("/run/functions");
    auto kallsyms = (*machine)->get("/run/kallsyms");
    ASSERT_GOOD(functions);
    ASSERT_GOOD(kallsyms);
    ASSERT_GOOD((*machine)->fetch("/run/live.hap", folder_->file("live.hap")));
    ASSERT_GOOD((*machine)->quit());
    auto symbols = collect::Kallsyms::parse(*kallsyms);
    ASSERT_GOOD(symbols);
    auto list = collect::parse_traceable(*functions, *symbols);
    ASSERT_GOOD(list);
    for (const auto& function : list->functions) names_[function.address] = function.name;
    auto oracle = Oracle::read(folder_->file("stream"), comm, list->functions);
    ASSERT_GOOD(oracle);
    oracle_ = std::make_unique<Oracle>(std::move(*oracle));
    auto recording = Recording::open(folder_->file("live.hap"));
    ASSERT_GOOD(recording);
    recording_ = std::make_unique<Recording>(std::move(*recording));
    auto live = entered_in(*recording_);
    ASSERT_GOOD(live);
    live_ = std::move(*live);
    const auto& unobservable = recording_->header().unobservable;
    unobservable_.insert(unobservable.begin(), unobservable.end());
  }

  uint64_t losses(const std::string& kind) const {
    uint64_t count = 0;
    for (const auto& loss : recording_->header().losses) {
      if (loss.kind == kind) count += loss.count;
    }
    return count;
  }

  // Names of the functions whose task context the recording says is not wholly known.
  std::set<std::string> censored() const {
    std::set<std::string> names;
    for (const auto& loss : recording_->header().losses) {
      const size_t list = loss.detail.find(": ");
      if (loss.kind != "censored_functions" || list == std::string::npos) continue;
      std::istringstream words(loss.detail.substr(list + 2));
      for (std::string name; std::getline(words >> std::ws, name, ',');) names.insert(name);
    }
    return names;
  }

  std::unique_ptr<TempDir> folder_;
  std::map<uint64_t, std::string> names_;
  std::unique_ptr<Oracle> oracle_;
  std::unique_ptr<Recording> recording_;
  std::map<Where, std::set<uint64_t>> live_;
  std::set<uint64_t> unobservable_;
};

TEST_P(LiveOracle, InnerIsInLiveIsInOuter) {
  measure();
  if (HasFatalFailure()) return;
  const auto inner = oracle_->entered({2}, Where::task);
  const auto outer = oracle_->entered({1, 2, 3}, Where::task);
  const auto& live = live_[Where::task];
  ASSERT_GT(inner.size(), 150u);
  std::map<std::string, size_t> by_cause;
  const auto named = censored();
  EXPECT_EQ(named.empty(), losses("censored_functions") == 0);
  for (const uint64_t address : inner) {
    if (live.count(address) != 0) continue;
    const auto& exceptions = unseen_by(GetParam().collector);
    const auto cause = exceptions.find(names_[address]);
    EXPECT_TRUE(cause != exceptions.end())
        << "only the oracle has " << names_[address]
        << (named.contains(names_[address]) ? ", which the recording names as taken off" : "");
    if (cause == exceptions.end()) continue;
    ++by_cause[cause->second];
    if (cause->second == tracer_itself) {
      EXPECT_TRUE(unobservable_.contains(address)) << names_[address] << " is not reported as unobservable";
    }
  }
  for (const uint64_t address : live) {
    EXPECT_EQ(outer.count(address), 1u) << "only the live collector has " << names_[address];
  }
  std::map<int32_t, uint64_t> calls;
  for (const auto& row : recording_->header().syscalls) calls[row.number] += row.count;
  for (const auto& [number, count] : calls) {
    const auto seen = oracle_->system_calls().find(number);
    ASSERT_NE(seen, oracle_->system_calls().end()) << "only the live collector has system call " << number;
    EXPECT_LE(count, seen->second) << "of system call " << number;
  }
  // Replies are written under load only, so every one of these calls was between the inner marks.
  constexpr int32_t write_call = 1;
  EXPECT_EQ(calls[write_call], oracle_->system_calls().at(write_call));
  EXPECT_GE(calls[write_call], uint64_t{2} * requests_of_each);
  EXPECT_EQ(losses("events_lost"), 0u);
  EXPECT_EQ(losses("missed_probes"), 0u);
  std::printf("task context: %zu functions in the oracle's inner part, %zu live, %zu in its outer part\n",
              inner.size(), live.size(), outer.size());
  std::printf(
      "  %llu taken off after entries by others only, and never seen in a task; %llu entries skipped in "
      "interrupts\n",
      static_cast<unsigned long long>(losses("censored_functions")),
      static_cast<unsigned long long>(losses("missed_probes_in_interrupts")));
  for (const auto& [cause, count] : by_cause) std::printf("  %zu not seen live: %s\n", count, cause.c_str());
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return info.param.suite + "_" + info.param.collector;
}

INSTANTIATE_TEST_SUITE_P(Kernels, LiveOracle,
                         ::testing::Values(Case{"trixie", "bpf"}, Case{"trixie", "ftrace"},
                                           Case{"bookworm", "ftrace"}),
                         name_of);

}  // namespace
}  // namespace hap::testing
