// Who gets credited: each test is a rule of docs/attribution.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "sample_cell.h"

namespace hap {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing_support::hap_functions;
using testing_support::names_of;
using testing_support::SampleCell;

constexpr HapOptions with_softirq{.with_softirq = true, .with_emulation = true};

Profile profile_of(const SampleCell& cell) {
  auto profile = cell.profile();
  EXPECT_TRUE(profile.ok()) << (profile.ok() ? "" : profile.error().to_string());
  return std::move(*profile);
}

std::vector<std::string> functions_of(const Profile& profile,
                                      const std::function<bool(const Account&)>& wanted,
                                      std::optional<Phase> phase = Phase::serve) {
  return names_of(profile, profile.functions_hit(profile.select(wanted, phase)));
}

TEST(Account, ATaskInTheSandboxsCgroupCountsAndItsNeighbourDoesNot) {
  SampleCell cell;
  cell.hit(cell.function("vfs_read"), cell.actor(cell.task("redis", "/hap/cell/sub", 100)));
  cell.hit(cell.function("tcp_ack"), cell.actor(cell.task("other", "/hap/cellar", 101)));
  cell.hit(cell.function("kvm_exit"), cell.actor(cell.task("agent", "", 102)));
  const auto profile = profile_of(cell);
  EXPECT_THAT(hap_functions(profile), ElementsAre("vfs_read"));
}

TEST(Account, TotalsAlwaysMatch) {
  SampleCell cell;
  const auto inside = cell.task("redis", "/hap/cell", 100);
  const auto outside = cell.task("cron", "/", 50);
  const auto load = cell.task("bench", "/hap/load", 60);
  cell.scope.push_back({"cgroup", "/hap/load", "load"});
  for (const auto task : {inside, outside, load}) {
    for (const auto cause : {Cause::process, Cause::softirq_bh, Cause::softirq, Cause::hardirq, Cause::nmi}) {
      const auto actor = cell.actor(task, cause);
      for (const auto* name : {"vfs_read", "tcp_ack", "tcp_sendmsg"}) cell.hit(cell.function(name), actor);
    }
  }
  const auto profile = profile_of(cell);
  uint64_t sum = 0;
  for (const auto& total : profile.accounts()) sum += total.hits;
  EXPECT_EQ(sum, cell.hits.size()) << "every hit has exactly one account";
}

TEST(Account, OnlyPhaseServeIsTheHap) {
  SampleCell cell;
  const auto actor = cell.actor(cell.task("redis", "/hap/cell", 100));
  cell.hit(cell.function("vfs_read"), actor, {1});
  cell.hit(cell.function("tcp_ack"), actor, {1, 4});
  cell.hit(cell.function("kvm_exit"), actor, {6});
  const auto profile = profile_of(cell);
  EXPECT_THAT(hap_functions(profile), ElementsAre("tcp_ack"));
  const auto own = [](const Account& account) { return counts_as_hap(account); };
  EXPECT_THAT(functions_of(profile, own, Phase::setup), ElementsAre("tcp_ack", "vfs_read"));
  EXPECT_THAT(functions_of(profile, own, Phase::teardown), ElementsAre("kvm_exit"));
  EXPECT_EQ(functions_of(profile, own, std::nullopt).size(), 3U);
}

TEST(Account, ContextsFollowTheRoleAndTheCause) {
  SampleCell cell;
  cell.scope = {{"pid", "200", "sandbox"}, {"tid", "201", "vcpu"}};
  const auto vmm = cell.task("qemu", "/", 200);
  const auto vcpu = cell.task("CPU 0/KVM", "/", 201);
  cell.tasks.back().tgid = 200;
  cell.hit(cell.function("vfs_read"), cell.actor(vmm));
  cell.hit(cell.function("kvm_exit"), cell.actor(vcpu));
  cell.hit(cell.function("tcp_ack"), cell.actor(vcpu, Cause::hardirq));
  const auto profile = profile_of(cell);
  EXPECT_THAT(hap_functions(profile), ElementsAre("kvm_exit", "vfs_read"));
  EXPECT_THAT(functions_of(profile, [](const auto& each) { return each.context == Context::vcpu; }),
              ElementsAre("kvm_exit"));
  EXPECT_THAT(functions_of(profile, [](const auto& each) { return each.standing == Standing::interrupt; }),
              ElementsAre("tcp_ack"));
  EXPECT_THAT(functions_of(profile, counts_as_stage2), ElementsAre("kvm_exit", "vfs_read"));
}

TEST(Account, DescendantsOfAPidAreFollowedEvenOutsideItsCgroup) {
  SampleCell cell;
  cell.scope = {{"pid", "200", "sandbox"}};
  cell.task("vmm", "/a", 200);
  const auto child = cell.task("child", "/b", 210, 200);
  const auto grandchild = cell.task("worker", "/c", 220, 210);
  const auto stranger = cell.task("cron", "/b", 230, 1);
  cell.hit(cell.function("vfs_read"), cell.actor(child));
  cell.hit(cell.function("tcp_ack"), cell.actor(grandchild));
  cell.hit(cell.function("kvm_exit"), cell.actor(stranger));
  EXPECT_THAT(hap_functions(profile_of(cell)), ElementsAre("tcp_ack", "vfs_read"));
}

TEST(Account, AReusedPidIsAnotherProcess) {
  SampleCell cell;
  cell.scope = {{"pid", "200", "application"}};
  cell.task("init", "/", 1, 0);
  cell.task("redis", "/a", 200);
  const auto child = cell.task("child", "/a", 210, 200);
  const auto earlier = cell.task("old", "/a", 210, 1);  // same pid, before the child: started by init
  cell.tasks.back().start_ns = 5;
  cell.hit(cell.function("vfs_read"), cell.actor(child));
  cell.hit(cell.function("tcp_ack"), cell.actor(earlier));
  EXPECT_THAT(hap_functions(profile_of(cell)), ElementsAre("vfs_read"));
}

TEST(Account, DeferredWorkBelongsToWhoQueuedIt) {
  SampleCell cell;
  const auto redis = cell.task("redis", "/hap/cell", 100);
  const auto other = cell.task("cron", "/", 101);
  const auto kworker = cell.task("kworker/0:1", "/", 30, 2, true);
  cell.hit(cell.function("vfs_read"), cell.actor(kworker, Cause::process, OwnerKind::work, redis));
  cell.hit(cell.function("tcp_ack"), cell.actor(kworker, Cause::process, OwnerKind::work, other));
  cell.hit(cell.function("kvm_exit"), cell.actor(kworker));
  // An RCU callback that somebody else queued is theirs, even in a soft interrupt that redis runs.
  cell.hit(cell.function("tcp_sendmsg"), cell.actor(redis, Cause::softirq_bh, OwnerKind::rcu, other));
  const auto profile = profile_of(cell);
  EXPECT_THAT(hap_functions(profile, with_softirq), ElementsAre("vfs_read"));
  EXPECT_THAT(functions_of(profile,
                           [](const auto& each) {
                             return each.context == Context::kthread && each.standing == Standing::own;
                           }),
              ElementsAre("vfs_read"));
}

TEST(Account, AKernelThreadOfTheSandboxIsNamedByARule) {
  SampleCell cell;
  cell.scope.push_back({"kthread", "vhost-200", "sandbox"});
  const auto vhost = cell.task("vhost-200", "/", 30, 2, true);
  cell.hit(cell.function("vfs_read"), cell.actor(vhost));
  EXPECT_THAT(hap_functions(profile_of(cell)), ElementsAre("vfs_read"));
}

TEST(Account, SoftirqsCountOnlyInTheSecondFigure) {
  SampleCell cell;
  cell.scope.push_back({"netdev", "veth0", "sandbox"});
  const auto redis = cell.task("redis", "/hap/cell", 100);
  const auto idle = cell.task("swapper", "/", 0);
  cell.hit(cell.function("vfs_read"), cell.actor(redis));
  cell.hit(cell.function("tcp_sendmsg"), cell.actor(redis, Cause::softirq_bh));
  cell.hit(cell.function("tcp_ack"), cell.actor(idle, Cause::softirq, OwnerKind::netdev, 0, "veth0@4026"));
  cell.hit(cell.function("kvm_exit"), cell.actor(redis, Cause::softirq));  // nobody known: beside
  const auto profile = profile_of(cell);
  EXPECT_THAT(hap_functions(profile), ElementsAre("vfs_read"));
  EXPECT_THAT(hap_functions(profile, with_softirq), ElementsAre("tcp_ack", "tcp_sendmsg", "vfs_read"));
}

TEST(Account, ReceiveWorkForASocketGoesByTheSocketsCgroup) {
  SampleCell cell;
  const auto idle = cell.task("swapper", "/", 0);
  cell.task("redis", "/hap/cell", 100);
  cell.hit(cell.function("tcp_ack"), cell.actor(idle, Cause::softirq, OwnerKind::socket, 0, "/hap/cell"));
  cell.hit(cell.function("vfs_read"), cell.actor(idle, Cause::softirq, OwnerKind::socket, 0, "/user"));
  EXPECT_THAT(hap_functions(profile_of(cell), with_softirq), ElementsAre("tcp_ack"));
}

TEST(Account, ANetdevRuleMayNameItsNamespace) {
  SampleCell cell;
  cell.scope.push_back({"netdev", "eth0@4026", "sandbox"});
  const auto idle = cell.task("swapper", "/", 0);
  cell.hit(cell.function("tcp_ack"), cell.actor(idle, Cause::softirq, OwnerKind::netdev, 0, "eth0@4026"));
  cell.hit(cell.function("vfs_read"), cell.actor(idle, Cause::softirq, OwnerKind::netdev, 0, "eth0@1111"));
  EXPECT_THAT(hap_functions(profile_of(cell), with_softirq), ElementsAre("tcp_ack"));
}

TEST(Account, TheLoadGeneratorIsNeverCounted) {
  SampleCell cell;
  cell.scope.push_back({"pid", "300", "load"});
  const auto load = cell.task("redis-benchmark", "/hap/cell", 300);
  cell.hit(cell.function("vfs_read"), cell.actor(load));
  cell.hit(cell.function("tcp_ack"), cell.actor(load, Cause::softirq_bh));
  EXPECT_THAT(hap_functions(profile_of(cell), with_softirq), IsEmpty()) << "though it is in the cgroup";
}

TEST(Account, HostDaemonsStandBesideAndAreInTheVap) {
  SampleCell cell;
  cell.scope.push_back({"comm", "conmon", "host-daemon"});
  cell.scope.push_back({"pid", "90", "host-daemon"});
  const auto conmon = cell.task("conmon", "/machine", 90);
  cell.hit(cell.function("vfs_read"), cell.actor(conmon));
  const auto profile = profile_of(cell);
  EXPECT_THAT(hap_functions(profile, with_softirq), IsEmpty());
  EXPECT_THAT(functions_of(profile, counts_as_vap), ElementsAre("vfs_read"));
  EXPECT_THAT(functions_of(profile, [](const auto& each) { return each.layer == Layer::host_daemon; }),
              ElementsAre("vfs_read"));
}

TEST(Account, WhatTheEmulatedProcessorNeedsCanBeTakenOut) {
  SampleCell cell;
  cell.scope = {{"tid", "201", "vcpu"}};
  const auto vcpu = cell.task("CPU 0/KVM", "/", 201);
  cell.hit(cell.function("vfs_read"), cell.actor(vcpu));
  cell.hit(cell.function("kvm_exit"), cell.actor(vcpu, Cause::process, OwnerKind::emulation));
  const auto profile = profile_of(cell);
  EXPECT_THAT(hap_functions(profile), ElementsAre("kvm_exit", "vfs_read"));
  EXPECT_THAT(hap_functions(profile, {.with_softirq = false, .with_emulation = false}),
              ElementsAre("vfs_read"));
}

TEST(Account, LayersTellWhoseCodeItIs) {
  SampleCell cell;
  const auto kernel_id = testing_support::SampleImages::get().kernel_build_id();
  const auto guest = cell.image(ImageKind::kernel, Space::guest, "vmlinux", kernel_id);
  const auto guest_user = cell.image(ImageKind::user, Space::guest, "/usr/bin/redis-server");
  const auto runsc = cell.image(ImageKind::user, Space::host, "/usr/bin/runsc");
  const auto program = cell.image(ImageKind::user, Space::host, "/usr/bin/redis-server");
  const auto xen = cell.image(ImageKind::hypervisor, Space::hypervisor, "xen");
  cell.scope = {
      {"cgroup", "/hap/cell", "application"}, {"image", "/usr/bin/runsc", "sandbox"}, {"tid", "201", "vcpu"}};
  const auto vcpu = cell.task("CPU 0/KVM", "/hap/cell", 201);
  const auto redis = cell.task("redis", "/hap/cell", 100);
  const auto range = testing_support::SampleImages::get().range("tcp_ack");
  cell.hit(cell.block(guest, range.begin, 4), cell.actor(vcpu));
  cell.hit(cell.block(guest_user, 0x1000, 4), cell.actor(vcpu));
  cell.hit(cell.block(runsc, 0x1000, 4), cell.actor(redis));
  cell.hit(cell.block(program, 0x1000, 4), cell.actor(redis));
  cell.hit(cell.block(xen, 0xffff82d040200000, 4), cell.actor(redis));
  cell.hit(cell.block(runsc, 0x2000, 4), cell.actor(vcpu));
  const auto profile = profile_of(cell);
  std::map<Layer, uint64_t> hits;
  for (const auto& total : profile.accounts()) hits[total.account.layer] += total.hits;
  EXPECT_EQ(hits[Layer::guest_kernel], 1U);
  EXPECT_EQ(hits[Layer::application], 2U);
  EXPECT_EQ(hits[Layer::sandbox], 2U);
  EXPECT_EQ(hits[Layer::hypervisor], 1U);
  EXPECT_THAT(functions_of(profile, [](const auto& each) { return each.layer == Layer::guest_kernel; }),
              ElementsAre("tcp_ack"))
      << "the same build runs as guest and as host, and they are kept apart";
  EXPECT_THAT(functions_of(profile, [](const auto& each) { return each.layer == Layer::host_kernel; }),
              IsEmpty());
}

TEST(Account, AnImageRuleMayNameEveryOtherFile) {
  SampleCell cell;
  cell.scope = {{"cgroup", "/hap/cell", "sandbox"},
                {"image", "*", "application"},
                {"image", "/usr/bin/runsc", "sandbox"},
                {"image", "/memfd:stub", "sandbox"}};
  const auto runsc = cell.image(ImageKind::user, Space::host, "/usr/bin/runsc");
  const auto redis = cell.image(ImageKind::user, Space::host, "/usr/bin/redis-server");
  const auto stub = cell.image(ImageKind::memfd, Space::host, "[memfd:stub]");
  const auto actor = cell.actor(cell.task("exe", "/hap/cell", 100));
  for (const auto image : {runsc, redis, stub}) cell.hit(cell.block(image, 0x1000, 4), actor);
  cell.hit(cell.function("vfs_read"), actor);
  const auto profile = profile_of(cell);
  std::map<Layer, uint64_t> hits;
  for (const auto& total : profile.accounts()) hits[total.account.layer] += total.hits;
  EXPECT_EQ(hits[Layer::sandbox], 2U);
  EXPECT_EQ(hits[Layer::application], 1U);
  EXPECT_EQ(hits[Layer::host_kernel], 1U);
  EXPECT_THAT(functions_of(profile, counts_as_stage2), ElementsAre("vfs_read"));
}

TEST(Account, SubsystemsAreSourceFoldersTwoLevelsDeep) {
  EXPECT_EQ(subsystem_of_path("net/ipv4/tcp.c"), "net/ipv4");
  EXPECT_EQ(subsystem_of_path("mm/slub.c"), "mm");
  EXPECT_EQ(subsystem_of_path("arch/x86/kvm/svm/svm.c"), "arch/x86");
  EXPECT_EQ(subsystem_of_path("./include/linux/fs.h"), "include/linux");
  EXPECT_EQ(subsystem_of_path("init.c"), ".");
}

}  // namespace
}  // namespace hap
