// The plugin's rules for contexts and owners, as sequences of what a kernel does.
#include <gtest/gtest.h>

#include "deferred_work.h"
#include "vcpu.h"

namespace hap_plugin {
namespace {

using hap::stream::Cause;

constexpr ContextMasks masks{0x100, 0xf0000, 0xf00000};

class Contexts : public testing::Test {
 protected:
  Contexts() { vcpu_.task = &task_; }
  Cause cause() { return vcpu_.cause = cause_of(vcpu_, masks); }
  void region(uint32_t owner) {
    task_.regions.push_back({0x1000, 0x2000, owner, static_cast<uint8_t>(cause()), vcpu_.interrupt_depth});
  }

  TaskState task_;
  Vcpu vcpu_;
};

TEST_F(Contexts, AnInterruptWithASoftirqBehindIt) {
  EXPECT_EQ(cause(), Cause::process);
  push_frame(vcpu_, true, masks);
  EXPECT_EQ(cause(), Cause::hardirq) << "entry, before the kernel accounts for it";
  vcpu_.preempt_count = 0x10000;
  EXPECT_EQ(cause(), Cause::hardirq);
  vcpu_.preempt_count = 0;
  EXPECT_EQ(cause(), Cause::hardirq) << "on the way out";
  vcpu_.preempt_count = 0x100;
  EXPECT_EQ(cause(), Cause::softirq);
  vcpu_.preempt_count = 0;
  EXPECT_EQ(cause(), Cause::hardirq);
  pop_frame(vcpu_);
  EXPECT_EQ(cause(), Cause::process);
}

TEST_F(Contexts, ASoftirqOfATaskInterrupted) {
  vcpu_.preempt_count = 0x100;
  EXPECT_EQ(cause(), Cause::softirq_bh);
  push_frame(vcpu_, true, masks);
  EXPECT_EQ(cause(), Cause::hardirq) << "the softirq bit was there before";
  vcpu_.preempt_count = 0x10100;
  EXPECT_EQ(cause(), Cause::hardirq);
  vcpu_.preempt_count = 0x100;
  pop_frame(vcpu_);
  EXPECT_EQ(cause(), Cause::softirq_bh);
}

TEST_F(Contexts, DisabledBottomHalvesAreNoSoftirq) {
  vcpu_.preempt_count = 0x200;
  EXPECT_EQ(cause(), Cause::process);
}

TEST_F(Contexts, PreemptionOnTheWayOutIsTheTasks) {
  push_frame(vcpu_, true, masks);
  release_frame(vcpu_, masks);
  EXPECT_EQ(cause(), Cause::process);
  push_frame(vcpu_, true, masks);
  EXPECT_EQ(cause(), Cause::hardirq) << "a further interrupt is one again";
  pop_frame(vcpu_);
  EXPECT_EQ(cause(), Cause::process);
}

TEST_F(Contexts, ASchedulerCallInsideAnInterruptChangesNothing) {
  push_frame(vcpu_, true, masks);
  vcpu_.preempt_count = 0x10000;
  release_frame(vcpu_, masks);
  vcpu_.preempt_count = 0;
  EXPECT_EQ(cause(), Cause::hardirq);
}

TEST_F(Contexts, ExceptionsWorkForTheTask) {
  push_frame(vcpu_, false, masks);
  EXPECT_EQ(cause(), Cause::process);
  pop_frame(vcpu_);
  pop_frame(vcpu_);  // a return to user mode that no entry was seen of
  EXPECT_EQ(cause(), Cause::process);
}

TEST_F(Contexts, ANonMaskableInterruptStandsAboveAll) {
  vcpu_.preempt_count = 0x110100;
  EXPECT_EQ(cause(), Cause::nmi);
}

TEST_F(Contexts, AnOwnerSleepsInDeeperContexts) {
  cause();
  region(7);
  EXPECT_EQ(owner_in_force(vcpu_), 7u);
  push_frame(vcpu_, true, masks);
  cause();
  EXPECT_EQ(owner_in_force(vcpu_), 0u) << "a timer tick is not the work item's";
  vcpu_.preempt_count = 0x100;
  cause();
  EXPECT_EQ(owner_in_force(vcpu_), 0u);
  region(9);
  EXPECT_EQ(owner_in_force(vcpu_), 9u);
  vcpu_.preempt_count = 0;
  pop_frame(vcpu_);
  cause();
  EXPECT_EQ(owner_in_force(vcpu_), 7u) << "and what the softirq left behind is gone";
  EXPECT_EQ(task_.regions.size(), 1u);
}

TEST(DeferredWork, BelongsToWhoQueuedIt) {
  DeferredWork work;
  work.queued(0x10, 5, false);
  EXPECT_EQ(work.take(0x10), 5u);
  EXPECT_EQ(work.take(0x10), 0u) << "once";
  work.queued(0x10, 5, false);
  work.queued(0x10, 0, false);
  EXPECT_EQ(work.take(0x10), 0u) << "queued anew by an interrupt";
  work.queued(0x10, 5, true);
  work.queued(0x10, 0, false);
  EXPECT_EQ(work.take(0x10), 5u) << "a delayed item is moved by its timer";
}

}  // namespace
}  // namespace hap_plugin
