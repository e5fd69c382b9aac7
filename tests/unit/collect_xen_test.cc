// Xen beneath the kernel: its hooks, and on whose account its own code runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "collect/emulator/xen_hooks.h"
#include "hook_table.h"
#include "xen_context.h"

namespace hap::collect {
namespace {

using hap_plugin::XenContext;
using stream::Cause;
using testing::HasSubstr;
using testing::Not;

constexpr char xen_symbols[] =
    "0xffff82d040200000 T _stext\n"
    "0xffff82d040201190 T lstar_enter\n"
    "0xffff82d0402017e0 T common_interrupt\n"
    "0xffff82d040201930 T entry_PF\n"
    "0xffff82d040201939 T handle_exception\n"
    "0xffff82d040201db0 T entry_NMI\n"
    "0xffff82d040201dc0 T handle_ist_exception\n"
    "0xffff82d040201fb6 t x86_64/entry.S#autogen_stubs\n"
    "0xffff82d040202f40 T clear_bhb_tsx\n"
    "0xffff82d040240940 T do_softirq\n"
    "0xffff82d04025dff0 t common/sched/core.c#sched_context_switch\n"
    "0xffff82d04025e6c0 t common/sched/core.c#schedule\n"
    "0xffff82d040304d70 T context_switch\n"
    "0xffff82d040305670 T continue_running\n"
    "0xffff82d04036228e T _etext\n"
    "0xffff82d040367888 D __start___ex_table\n"
    "0xffff82d0403680a0 D __stop___ex_table\n"
    "0xffff82d040463850 D hardware_domain\n";

constexpr char kernel_symbols[] =
    "ffffffff81031480 T xen_iret\n"
    "ffffffff810314a0 T xen_entry_SYSCALL_64\n"
    "ffffffff82c22000 D init_top_pgt\n";

std::string without(std::string text, const std::string& word) {
  const size_t at = text.find(word);
  const size_t begin = text.rfind('\n', at) + 1;
  return text.erase(begin, text.find('\n', at) - begin + 1);
}

TEST(XenHooks, NamesXensFunctionsAndTheKernelsReturn) {
  const auto text = xen_hooks_text(xen_symbols, kernel_symbols);
  ASSERT_TRUE(text) << text.error().to_string();
  EXPECT_THAT(*text, HasSubstr("hook xen_switch 0xffff82d040304d70 0xffff82d040305670\n"));
  EXPECT_THAT(*text, HasSubstr("hook xen_interrupt_stubs 0xffff82d040201fb6 0xffff82d040202f40\n"))
      << "a local symbol stands behind its file's name";
  EXPECT_THAT(*text, HasSubstr("hook xen_schedule 0xffff82d04025e6c0 "));
  EXPECT_THAT(*text, Not(HasSubstr("hook xen_switch 0xffff82d04025dff0")))
      << "not every function whose name ends alike";
  EXPECT_THAT(*text, HasSubstr("value xen_hardware_domain 0xffff82d040463850\n"));
  EXPECT_THAT(*text, HasSubstr("value init_top_pgt 0xffffffff82c22000\n"));
  EXPECT_THAT(*text, HasSubstr("hook interrupt_return 0xffffffff81031480 "));
  const auto bounds = xen_text(xen_symbols);
  ASSERT_TRUE(bounds);
  EXPECT_EQ(bounds->begin, 0xffff82d040200000u);
  EXPECT_EQ(bounds->end, 0xffff82d04036228eu);
}

TEST(XenHooks, RefusesWhatCannotBeFollowed) {
  for (const char* name :
       {"T context_switch", "autogen_stubs", "hardware_domain", "do_softirq", "entry_PF"}) {
    const auto text = xen_hooks_text(without(xen_symbols, name), kernel_symbols);
    ASSERT_FALSE(text) << "without " << name;
    EXPECT_EQ(text.error().kind(), ErrorKind::unsupported);
  }
  EXPECT_FALSE(xen_hooks_text(xen_symbols, without(kernel_symbols, "xen_iret")))
      << "a kernel that is no dom0";
  EXPECT_FALSE(xen_hooks_text("no symbols at all\n", kernel_symbols));
  EXPECT_FALSE(xen_text(without(xen_symbols, "_etext")));
}

// The plugin reads what the host writes; each stub of the table is an entry, wherever it begins.
TEST(XenHooks, ThePluginFindsThem) {
  const auto text = xen_hooks_text(xen_symbols, kernel_symbols);
  ASSERT_TRUE(text);
  const auto path = std::filesystem::path(::testing::TempDir()) / "xen-hooks";
  std::ofstream(path) << "hapmeter-hooks 1\n" << *text;
  hap_plugin::HookTable table;
  std::string error;
  EXPECT_FALSE(table.load(path, error)) << "Xen's hooks alone are not enough";
  EXPECT_THAT(error, HasSubstr("context-switch"));
  const auto* stub = table.at_entry(0xffff82d040201fb6 + 13);
  ASSERT_NE(stub, nullptr);
  EXPECT_EQ(stub->kind, hap_plugin::HookKind::xen_interrupt);
  EXPECT_EQ(table.at_entry(0xffff82d040202f40), nullptr);
  std::filesystem::remove(path);
}

TEST(XenContext, InterruptsAreNobodysAndEnd) {
  XenContext xen;
  EXPECT_EQ(xen.cause(), std::nullopt) << "the domain's own context is in force";
  EXPECT_TRUE(xen.interrupt_begins());
  EXPECT_EQ(xen.cause(), Cause::hardirq);
  EXPECT_FALSE(xen.exception_begins()) << "a fault in the handler changes nothing";
  EXPECT_EQ(xen.cause(), Cause::hardirq);
  EXPECT_FALSE(xen.interrupt_ends());
  EXPECT_TRUE(xen.nmi_begins());
  EXPECT_EQ(xen.cause(), Cause::nmi);
  EXPECT_TRUE(xen.interrupt_ends());
  EXPECT_TRUE(xen.interrupt_ends());
  EXPECT_EQ(xen.cause(), std::nullopt);
  EXPECT_FALSE(xen.interrupt_ends()) << "the return from a hypercall has no frame";
  EXPECT_EQ(xen.interrupts(), 1u);
}

TEST(XenContext, SoftirqsDependOnWhatLedThere) {
  XenContext xen;
  xen.softirq_begins(0x1000, 0x8000);
  EXPECT_EQ(xen.cause(), Cause::softirq_bh) << "on the way out of a hypercall";
  EXPECT_FALSE(xen.return_reached(0x1000, 0x8000)) << "deeper on the stack";
  EXPECT_FALSE(xen.return_reached(0x2000, 0x8008));
  EXPECT_TRUE(xen.return_reached(0x1000, 0x8008));
  EXPECT_EQ(xen.cause(), std::nullopt);

  xen.interrupt_begins();
  xen.softirq_begins(0x1000, 0x8000);
  EXPECT_EQ(xen.cause(), Cause::softirq);
  xen.interrupt_begins();
  EXPECT_EQ(xen.cause(), Cause::hardirq) << "soft interrupts are interrupted";
  xen.interrupt_ends();
  EXPECT_EQ(xen.cause(), Cause::softirq);
}

TEST(XenContext, SchedulingWorksForWhoeverIsScheduled) {
  XenContext xen;
  xen.softirq_begins(0x1000, 0x8000);
  xen.schedule_begins(0x3000, 0x7000);
  EXPECT_EQ(xen.cause(), std::nullopt);
  EXPECT_TRUE(xen.return_reached(0x3000, 0x7008));
  EXPECT_EQ(xen.cause(), Cause::softirq_bh) << "further soft interrupts";
  xen.schedule_begins(0x3000, 0x7000);
  EXPECT_TRUE(xen.stack_restarts()) << "the chosen vcpu goes on with an empty stack";
  EXPECT_FALSE(xen.anything_in_progress());
  EXPECT_EQ(xen.stale_frames(), 0u);
}

TEST(XenContext, WhatWasMissedDoesNotPileUp) {
  XenContext xen;
  xen.interrupt_begins();
  EXPECT_TRUE(xen.domain_calls()) << "a hypercall starts on an empty stack";
  EXPECT_EQ(xen.stale_frames(), 1u);
  EXPECT_EQ(xen.cause(), std::nullopt);
  for (int i = 0; i < 1000; ++i) xen.exception_begins();
  EXPECT_GT(xen.stale_frames(), 1u);
}

}  // namespace
}  // namespace hap::collect
