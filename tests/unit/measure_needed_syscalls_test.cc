// What a seccomp profile has to permit: the service's system calls, not the runtime's setting up.
#include "measure/needed_syscalls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "measure/syscall_names.h"

namespace hap::measure {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Not;

// A container's recording: the runtime's processes, then the service.
class Container {
 public:
  Container() { header_.scope = {{"cgroup", "/hap/cell", "application"}, {"cgroup", "/hap/load", "load"}}; }
  uint32_t task(int32_t tgid, const std::string& comm, const std::string& cgroup = "/hap/cell") {
    Task task;
    task.id = static_cast<uint32_t>(header_.tasks.size() + 1);
    task.pid = task.tgid = tgid;
    task.start_ns = static_cast<uint64_t>(tgid);
    task.comm = comm;
    task.cgroup = cgroup;
    header_.tasks.push_back(task);
    return task.id;
  }
  void call(uint32_t task, int number, Phase phase = Phase::setup) {
    header_.syscalls.push_back({task, phase, number, 1});
  }
  RecordingHeader header_;
};

TEST(NeededSyscalls, AreTheServicesAndNotWhatTheRuntimeDidToSetItUp) {
  Container cell;
  const auto parent = cell.task(100, "runc:[0:PARENT]");
  cell.call(parent, SYS_setns);
  const auto init = cell.task(101, "runc:[2:INIT]");
  cell.call(init, SYS_mount);
  cell.call(init, SYS_seccomp);
  const auto sibling = cell.task(102, "runc:[2:INIT]");
  cell.call(sibling, SYS_sched_yield);
  // The same process, reparented: still the runtime.
  const auto reparented = cell.task(101, "runc:[2:INIT]");
  cell.call(reparented, SYS_pivot_root);
  const auto wrapper = cell.task(101, "setpriv");
  cell.call(wrapper, SYS_setresuid);
  const auto service = cell.task(101, "redis-server");
  cell.call(service, SYS_epoll_wait, Phase::serve);
  cell.call(service, SYS_exit_group, Phase::teardown);
  const auto load = cell.task(50, "hap-agent", "/hap/load");
  cell.call(load, SYS_connect, Phase::serve);

  const auto needed = needed_syscalls(cell.header_);
  ASSERT_TRUE(needed.ok()) << needed.error().to_string();
  std::vector<uint32_t> numbers;
  for (const auto& [number, tasks] : needed->service) numbers.push_back(number);
  EXPECT_THAT(numbers, ElementsAre(SYS_sched_yield, SYS_setresuid, SYS_exit_group, SYS_epoll_wait));
  EXPECT_THAT(needed->runtime_setup, Contains(SYS_mount));
  EXPECT_THAT(needed->runtime_setup, Contains(SYS_setns));
  EXPECT_THAT(needed->runtime_setup, Contains(SYS_pivot_root));
}

// A filter that answers `action` to io_uring_setup and permits the rest.
std::string filter(uint32_t action) {
  const sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return std::string(reinterpret_cast<const char*>(program), sizeof program);
}

// Permitting what the service was refused once made node end: io_uring could be set up, but not entered.
TEST(NeededSyscalls, WhatTheFilterRefusedWasNotNeeded) {
  Container cell;
  const auto task = cell.task(100, "node");
  cell.call(task, SYS_io_uring_setup);
  cell.call(task, SYS_epoll_wait);
  cell.header_.filters = {{100, "application", 0, filter(SECCOMP_RET_ERRNO | 38)}};
  auto needed = needed_syscalls(cell.header_);
  ASSERT_TRUE(needed.ok()) << needed.error().to_string();
  EXPECT_THAT(needed->service, Not(Contains(Key(SYS_io_uring_setup))));
  EXPECT_THAT(needed->service, Contains(Key(SYS_epoll_wait)));
  EXPECT_THAT(needed->refused, ElementsAre(SYS_io_uring_setup));

  // Elsewhere it was permitted and used.
  cell.header_.filters = {{100, "application", 0, filter(SECCOMP_RET_ALLOW)}};
  needed->merge(*needed_syscalls(cell.header_));
  EXPECT_THAT(needed->service, Contains(Key(SYS_io_uring_setup)));
  EXPECT_TRUE(needed->refused.empty());
}

TEST(NeededSyscalls, OfSeveralRecordingsAreAllOfThem) {
  Container first;
  first.call(first.task(1000, "app"), SYS_read);
  Container second;
  second.call(second.task(1000, "app"), SYS_write);
  auto needed = needed_syscalls(first.header_);
  ASSERT_TRUE(needed.ok());
  needed->merge(*needed_syscalls(second.header_));
  EXPECT_THAT(needed->service, Contains(Key(SYS_read)));
  EXPECT_THAT(needed->service, Contains(Key(SYS_write)));
}

TEST(NeededSyscalls, ATenantBehindAnotherKernelHasNone) {
  Container gvisor;
  gvisor.header_.scope = {{"cgroup", "/hap/cell", "sandbox"}};
  gvisor.call(gvisor.task(100, "exe"), SYS_futex);
  EXPECT_EQ(needed_syscalls(gvisor.header_).error().kind(), ErrorKind::usage);
  Container guest;
  guest.call(guest.task(7, "redis-server"), SYS_read);
  guest.header_.tasks.back().space = Space::guest;
  EXPECT_EQ(needed_syscalls(guest.header_).error().kind(), ErrorKind::usage);
  EXPECT_EQ(needed_syscalls(RecordingHeader()).error().kind(), ErrorKind::usage);
}

TEST(NeededSyscalls, ANumberWithoutANameIsSaid) {
  Container cell;
  const auto task = cell.task(100, "app");
  cell.call(task, SYS_read);
  cell.call(task, 999);
  cell.call(task, -1);  // a tracer skipped the call
  const auto needed = needed_syscalls(cell.header_);
  ASSERT_TRUE(needed.ok());
  EXPECT_THAT(needed->unnamed, ElementsAre(999));
  EXPECT_THAT(needed->service, Not(Contains(Key(999))));
}

// The table against libseccomp's, which comes from the kernel by another way. Calls newer than the installed
// libseccomp are unknown to it.
TEST(SyscallNames, AreTheKernels) {
  int compared = 0;
  for (uint32_t number = 0; number < 1024; ++number) {
    char* theirs = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, static_cast<int>(number));
    const std::string expected = theirs == nullptr ? "" : theirs;
    std::free(theirs);
    if (expected.empty()) continue;
    EXPECT_EQ(syscall_name(number), expected) << number;
    EXPECT_EQ(syscall_number(expected), number);
    ++compared;
  }
  EXPECT_GT(compared, 350);
  EXPECT_EQ(syscall_name(400), "");
  EXPECT_EQ(syscall_number("no_such_call"), std::nullopt);
}

TEST(SyscallNames, HaveWhatEveryProfileAdds) {
  for (const auto list : {runtime_syscalls(), unasked_syscalls()}) {
    for (const auto name : list) EXPECT_TRUE(syscall_number(name)) << name;
  }
}

}  // namespace
}  // namespace hap::measure
