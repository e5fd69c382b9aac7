// Every way to name a scope, with what belongs to it and what does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/live_machine.h"

namespace hap::testing {
namespace {

using ::testing::Contains;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int call_getppid = 110;
constexpr int call_getsid = 124;
constexpr int call_mkdir = 83;

class LiveScopes : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto machine = LiveMachine::start();
    ASSERT_GOOD(machine);
    machine_ = std::move(*machine);
    ASSERT_GOOD(machine_->install_hap());
    auto folder = TempDir::create("/var/tmp");
    ASSERT_GOOD(folder);
    folder_ = std::make_unique<TempDir>(std::move(*folder));
    // `calls N` makes system calls of one kind for ever, from a thread started later, from a child, or at
    // once.
    ASSERT_GOOD(machine_->put("/run/calls", R"(#!/usr/bin/python3
import ctypes, os, sys, threading, time
libc = ctypes.CDLL(None)
def loop(number):
    while True:
        libc.syscall(number)
        time.sleep(0.02)
if sys.argv[1] == "thread":
    time.sleep(6)
    threading.Thread(target=loop, args=(int(sys.argv[2]),)).start()
elif sys.argv[1] == "child":
    time.sleep(6)
    if os.fork() == 0: loop(int(sys.argv[2]))
    time.sleep(1000)
else:
    loop(int(sys.argv[2]))
)",
                              0755));
  }
  static void TearDownTestSuite() {
    machine_.reset();
    folder_.reset();
  }

  // Starts what `script` starts, records 9 s of the scope it prints last, and gives the recording.
  static Result<Recording> record(const std::string& script, const std::string& scope) {
    HAP_TRY(run,
            machine_->shell("set -e\n" + script + "\nhap record --collector ftrace --duration 9 --window 3 " +
                            scope + " -o /run/s.hap > /run/s.log 2>&1 || { cat /run/s.log; exit 1; }"));
    if (run.status != 0) return Error(run.out + run.err);
    const std::string to = folder_->file("s.hap");
    HAP_CHECK(machine_->fetch("/run/s.hap", to));
    return Recording::open(to);
  }

  static std::map<int, uint64_t> calls(const Recording& recording) {
    std::map<int, uint64_t> counts;
    for (const auto& row : recording.header().syscalls) counts[row.number] += row.count;
    return counts;
  }
  static std::vector<std::string> roles(const Recording& recording) {
    std::vector<std::string> all;
    for (const auto& rule : recording.header().scope) all.push_back(rule.kind + " " + rule.role);
    return all;
  }

  static inline std::unique_ptr<LiveMachine> machine_;
  static inline std::unique_ptr<TempDir> folder_;
};

TEST_F(LiveScopes, AProcessWithThreadsAndChildrenThatComeLater) {
  const auto recording = record(R"(
    setsid /run/calls thread 110 > /dev/null 2>&1 & pid=$!
    setsid /run/calls now 124 > /dev/null 2>&1 &)",
                                "--pid $pid");
  ASSERT_GOOD(recording);
  EXPECT_GT(calls(*recording)[call_getppid], 10u) << "of the thread";
  EXPECT_EQ(calls(*recording).count(call_getsid), 0u) << "of a process outside";
  const auto child = record("setsid /run/calls child 110 > /dev/null 2>&1 & pid=$!", "--pid $pid");
  ASSERT_GOOD(child);
  EXPECT_GT(calls(*child)[call_getppid], 10u) << "of the child";
  EXPECT_EQ(calls(*child).count(call_getsid), 0u);
}

TEST_F(LiveScopes, ACgroupWithThoseWhoJoinLater) {
  const auto recording = record(R"(
    mkdir -p /sys/fs/cgroup/live.slice/web.service/inner
    setsid /run/calls now 110 > /dev/null 2>&1 & echo $! > /sys/fs/cgroup/live.slice/web.service/inner/cgroup.procs
    setsid sh -c 'sleep 7; echo $$ > /sys/fs/cgroup/live.slice/web.service/inner/cgroup.procs; exec /run/calls now 124' > /dev/null 2>&1 &)",
                                "--cgroup web.service");
  ASSERT_GOOD(recording);
  EXPECT_GT(calls(*recording)[call_getppid], 50u);
  EXPECT_GT(calls(*recording)[call_getsid], 10u);
  EXPECT_THAT(roles(*recording), Contains("cgroup application"));
}

TEST_F(LiveScopes, ACgroupOfVersion1InAHybridMachine) {
  const auto recording = record(R"(
    mkdir -p /run/cgroup1 && mount -t cgroup -o none,name=old none /run/cgroup1
    mkdir -p /run/cgroup1/old/web
    setsid /run/calls now 110 > /dev/null 2>&1 & echo $! > /run/cgroup1/old/web/tasks)",
                                "--cgroup /run/cgroup1/old/web");
  ASSERT_GOOD(recording);
  EXPECT_GT(calls(*recording)[call_getppid], 50u);
}

TEST_F(LiveScopes, AContainerByTheBeginningOfItsId) {
  const auto recording = record(R"(
    id=$(printf 'ab%.0s' $(seq 32))
    mkdir -p /var/lib/docker/containers/$id /sys/fs/cgroup/system.slice/docker-$id.scope
    echo '{"Name":"/shop"}' > /var/lib/docker/containers/$id/config.v2.json
    setsid /run/calls now 110 > /dev/null 2>&1 & echo $! > /sys/fs/cgroup/system.slice/docker-$id.scope/cgroup.procs)",
                                "--container abab");
  ASSERT_GOOD(recording);
  EXPECT_GT(calls(*recording)[call_getppid], 50u);
  EXPECT_EQ(recording->meta("workload"), "shop");
  EXPECT_EQ(recording->meta("sandbox"), "container");
}

TEST_F(LiveScopes, ACommandFromItsFirstInstructionToItsEnd) {
  const auto run = machine_->shell("hap record --collector ftrace -o /run/c.hap -- mkdir /run/made 2>&1");
  ASSERT_GOOD(run);
  EXPECT_EQ(run->status, 0) << run->out;
  EXPECT_THAT(run->out, HasSubstr("mkdir ended with status 0"));
  ASSERT_GOOD(machine_->fetch("/run/c.hap", folder_->file("c.hap")));
  const auto recording = Recording::open(folder_->file("c.hap"));
  ASSERT_GOOD(recording);
  auto counts = calls(*recording);
  EXPECT_EQ(counts[call_mkdir], 1u);
  EXPECT_EQ(counts[59], 1u) << "execve itself";
  EXPECT_THAT(recording->meta("symbols"), HasSubstr(" do_mkdirat\n"));
}

TEST_F(LiveScopes, AVirtualMachinesThreadsHaveTheirClasses) {
  const auto recording = record(R"(
    setsid qemu-system-x86_64 -M microvm,accel=kvm -cpu host -m 64 -nodefaults -display none -serial null \
      -kernel /usr/lib/modules/$(uname -r)/vmlinuz -append 'panic=-1' > /run/q.log 2>&1 & pid=$!
    sleep 3; kill -0 $pid || { cat /run/q.log; exit 1; })",
                                "--pid $pid");
  ASSERT_GOOD(recording);
  EXPECT_EQ(recording->meta("sandbox"), "vm");
  EXPECT_THAT(roles(*recording), Contains("tid vcpu"));
  EXPECT_THAT(roles(*recording), Contains("tid sandbox"));
  EXPECT_THAT(recording->meta("symbols"), HasSubstr(" svm_vcpu_run\n"));
}

TEST_F(LiveScopes, TheBestCollectorIsTakenByItself) {
  const auto run = machine_->shell("hap record -o /run/b.hap -- true 2>&1");
  ASSERT_GOOD(run);
  EXPECT_EQ(run->status, 0) << run->out;
  EXPECT_THAT(run->out, HasSubstr("collector bpf: the best there is"));
}

// Intent: Debian's 6.1 has no kprobe multi; that is found by trying, said, and the other collector is taken.
TEST(LiveFallback, WithoutKprobeMultiTheFunctionTracerIsTakenAndTheReasonSaid) {
  lab::LabSpec older;
  older.suite = "bookworm";
  auto machine = LiveMachine::start(older);
  ASSERT_GOOD(machine);
  ASSERT_GOOD((*machine)->install_hap());
  const auto run = (*machine)->shell("hap record -o /run/f.hap -- true 2>&1");
  ASSERT_GOOD(run);
  EXPECT_EQ(run->status, 0) << run->out;
  EXPECT_THAT(run->out, HasSubstr("collector ftrace: not bpf ("));
  EXPECT_THAT(run->out, HasSubstr("true ended with status 0"));
  const auto insisting = (*machine)->shell("hap record --collector bpf -o /run/g.hap -- true 2>&1");
  ASSERT_GOOD(insisting);
  EXPECT_NE(insisting->status, 0);
  EXPECT_THAT(insisting->out, HasSubstr("use `--collector ftrace`"));
}

TEST_F(LiveScopes, WhatCannotBeASandboxIsWrongUse) {
  for (const char* scope : {"--pid 1", "--pid 999999", "--cgroup /", "--cgroup absent.service",
                            "--container feed", "--pid 1 --cgroup x", "", "-- /no/such/program"}) {
    const auto run = machine_->shell(std::string("hap record ") + scope + " 2>&1");
    ASSERT_GOOD(run);
    EXPECT_EQ(run->status, 2) << scope << ": " << run->out;
  }
}

}  // namespace
}  // namespace hap::testing
