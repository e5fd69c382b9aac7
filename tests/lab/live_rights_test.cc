// hap record as a user with the capabilities that docs/live.md names and no others; what is left of them once
// everything is attached; and what is said to a user without any.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/live_machine.h"

namespace hap::testing {
namespace {

using ::testing::HasSubstr;

struct Case {
  std::string collector;
  std::string given;  // for setpriv
  uint64_t kept;      // bits of the capabilities that the table says are kept
};

constexpr uint64_t bit(int capability) {
  return uint64_t{1} << capability;
}
// include/uapi/linux/capability.h
constexpr uint64_t always_kept = bit(1) | bit(19) | bit(34);  // DAC_OVERRIDE, SYS_PTRACE, SYSLOG
constexpr uint64_t kept_for_bpf = bit(38) | bit(39);          // PERFMON, BPF

// A process of another user is the scope; hap runs as user 1000.
constexpr const char* as_user = "setpriv --reuid=1000 --regid=1000 --clear-groups ";

class LiveRights : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    auto machine = LiveMachine::start();
    ASSERT_GOOD(machine);
    machine_ = std::move(*machine);
    ASSERT_GOOD(machine_->install_hap());
  }
  std::unique_ptr<LiveMachine> machine_;
};

uint64_t field(const std::string& text, const std::string& name) {
  const size_t at = text.find("\n" + name + ":\t");
  return at == std::string::npos ? ~uint64_t{0} : std::stoull(text.substr(at + name.size() + 3), nullptr, 16);
}

TEST_P(LiveRights, TheNamedCapabilitiesAreEnoughAndTheOthersAreGivenUp) {
  const auto& given = GetParam().given;
  const auto run =
      machine_->shell(R"sh(
    setsid sh -c 'while :; do dd if=/dev/zero of=/dev/null bs=1 count=50 2>/dev/null; sleep 0.1; done' > /dev/null 2>&1 &
    load=$!
    )sh" + std::string(as_user) +
                      "--inh-caps=" + given + " --ambient-caps=" + given + " hap record --collector " +
                      GetParam().collector + R"sh( --pid $load -o /run/r.hap > /run/r.log 2>&1 & pid=$!
    for i in $(seq 1200); do grep -q ^recording /run/r.log && break; kill -0 $pid || break; sleep 0.1; done
    cat /proc/$pid/status
    sleep 2
    kill -INT $pid; wait $pid; echo "ended with $?"
    cat /run/r.log
  )sh");
  ASSERT_GOOD(run);
  ASSERT_THAT(run->out, HasSubstr("ended with 0")) << run->out << run->err;
  EXPECT_THAT(run->out, HasSubstr("\nUid:\t1000\t1000\t"));
  for (const char* set : {"CapEff", "CapPrm"}) {
    EXPECT_EQ(field(run->out, set), GetParam().kept) << set << run->out;
  }
  EXPECT_EQ(field(run->out, "CapInh"), 0u);
  EXPECT_EQ(field(run->out, "CapAmb"), 0u);
  EXPECT_EQ(field(run->out, "NoNewPrivs"), 1u);
  auto folder = TempDir::create("/var/tmp");
  ASSERT_GOOD(folder);
  ASSERT_GOOD(machine_->fetch("/run/r.hap", folder->file("r.hap")));
  const auto recording = Recording::open(folder->file("r.hap"));
  ASSERT_GOOD(recording);
  EXPECT_THAT(recording->meta("symbols"), HasSubstr(" vfs_write\n"));
}

TEST_P(LiveRights, WithoutAnyItSaysWhatIsNeeded) {
  const auto run = machine_->shell(std::string(as_user) + "hap record --collector " + GetParam().collector +
                                   " --pid 1 -o /run/n.hap 2>&1");
  ASSERT_GOOD(run);
  EXPECT_NE(run->status, 0);
  EXPECT_THAT(run->out, HasSubstr("run as root, or with the capabilities that docs/live.md names"));
}

INSTANTIATE_TEST_SUITE_P(
    Collectors, LiveRights,
    ::testing::Values(Case{"ftrace", "+dac_override,+syslog,+sys_ptrace", always_kept},
                      Case{"bpf", "+dac_override,+syslog,+sys_ptrace,+bpf,+perfmon,+sys_admin,+sys_resource",
                           always_kept | kept_for_bpf}),
    [](const auto& info) { return info.param.collector; });

}  // namespace
}  // namespace hap::testing
