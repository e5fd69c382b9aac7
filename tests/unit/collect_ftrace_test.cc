// The parts of the ftrace collector that need no kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "collect/ftrace/disarm_plan.h"
#include "collect/ftrace/entry_context.h"
#include "collect/ftrace/event_format.h"
#include "collect/ftrace/instance.h"
#include "collect/ftrace/ring_page.h"
#include "collect/traceable.h"

namespace hap::collect {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr PageFormat page_format{8, 16, 4080};

// A page as the kernel lays it out.
class PageBuilder {
 public:
  PageBuilder& event(uint32_t type_len, uint32_t delta, const std::string& payload) {
    word(type_len | delta << 5);
    data_ += payload;
    return *this;
  }
  PageBuilder& word(uint32_t value) {
    data_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  std::vector<std::byte> build(uint64_t flags = 0, uint64_t after = 0, size_t claimed = SIZE_MAX) const {
    std::string page(8, '\0');
    const uint64_t commit = (claimed == SIZE_MAX ? data_.size() : claimed) | flags;
    page.append(reinterpret_cast<const char*>(&commit), sizeof commit);
    page += data_;
    page.append(reinterpret_cast<const char*>(&after), sizeof after);
    page.resize(4096);
    std::vector<std::byte> bytes(page.size());
    std::memcpy(bytes.data(), page.data(), page.size());
    return bytes;
  }

 private:
  std::string data_;
};

std::vector<std::string> events_of(RingPage& page) {
  std::vector<std::string> events;
  while (const auto event = page.next()) {
    events.emplace_back(reinterpret_cast<const char*>(event->data()), event->size());
  }
  return events;
}

TEST(RingPage, GivesEventsOfAllKinds) {
  const auto bytes = PageBuilder()
                         .event(2, 5, "abcdefgh")
                         .event(30, 1, "tttt")  // time extend
                         .event(0, 0, std::string("\x0c\0\0\0", 4) + "longdata")
                         .event(31, 1, "ssss")  // time stamp
                         .event(29, 1, std::string("\x08\0\0\0", 4) + "gone")
                         .event(1, 0, "last")
                         .event(29, 0, "")  // the rest is unused
                         .word(0xffffffff)
                         .build();
  RingPage page(page_format, bytes);
  EXPECT_THAT(events_of(page), ElementsAre("abcdefgh", "longdata", "last"));
  EXPECT_FALSE(page.damaged());
  EXPECT_FALSE(page.after_loss());
}

TEST(RingPage, TellsLosses) {
  const auto bytes = PageBuilder().event(1, 0, "data").build(uint64_t{3} << 30, 1234);
  RingPage page(page_format, bytes);
  EXPECT_THAT(events_of(page), ElementsAre("data"));
  EXPECT_TRUE(page.after_loss());
  EXPECT_EQ(page.lost(), 1234u);
}

TEST(RingPage, LengthsThatLeaveThePageAreDamage) {
  for (const auto& bytes :
       {PageBuilder().event(28, 0, "short").build(),                            // too long
        PageBuilder().event(0, 0, std::string("\xff\xff\xff\x7f", 4)).build(),  // far too
        PageBuilder().event(0, 0, std::string("\0\0\0\0", 4)).build(),          // shorter than itself
        PageBuilder().event(1, 0, "data").build(0, 0, 5000)}) {
    RingPage page(page_format, bytes);
    EXPECT_THAT(events_of(page), IsEmpty());
    EXPECT_TRUE(page.damaged());
  }
  const std::vector<std::byte> cut(10);
  RingPage page(page_format, cut);
  EXPECT_THAT(events_of(page), IsEmpty());
  EXPECT_TRUE(page.damaged());
}

TEST(EventFormat, FindsFieldsOfRealFiles) {
  const auto format = parse_event_format(
      "name: sched_process_fork\nID: 304\nformat:\n"
      "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"
      "\tfield:char parent_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
      "\tfield:pid_t child_pid;\toffset:44;\tsize:4;\tsigned:1;\n\nprint fmt: \"comm=%s\", "
      "REC->parent_comm\n");
  ASSERT_TRUE(format);
  EXPECT_EQ(format->id, 304);
  EXPECT_EQ(format->field("child_pid", 4)->offset, 44u);
  EXPECT_EQ(format->field("parent_comm", 16)->offset, 8u);
  EXPECT_FALSE(format->field("child_pid", 8));
  EXPECT_FALSE(format->field("absent", 4));
  EXPECT_FALSE(parse_event_format("nothing of the kind"));
  EXPECT_FALSE(parse_event_format("ID: 99999\nfield:int a; offset:0; size:4;"));
}

TEST(EventFormat, KnowsThePage) {
  const auto format = parse_page_format(
      "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
      "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
      "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
      "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n");
  ASSERT_TRUE(format);
  EXPECT_EQ(format->commit_offset, 8u);
  EXPECT_EQ(format->data_offset, 16u);
  EXPECT_FALSE(
      parse_page_format("field: local_t commit; offset:8; size:4;\nfield: char data; offset:16; size:1;"));
}

constexpr uint8_t hard = 0x08, soft = 0x10, nmi = 0x40, irqs_off = 0x01;
constexpr auto none = FunctionTrait::none;

TEST(EntryContext, FlagsDecide) {
  EntryContext context;
  EXPECT_EQ(context.classify({0, 1, 2}, none, none), Cause::process);
  EXPECT_EQ(context.classify({irqs_off, 1, 2}, none, none), Cause::process);
  EXPECT_EQ(context.classify({hard, 1, 2}, none, none), Cause::hardirq);
  EXPECT_EQ(context.classify({hard | soft, 1, 2}, none, none), Cause::hardirq);
  EXPECT_EQ(context.classify({hard | nmi, 1, 2}, none, none), Cause::nmi);
  // A softirq whose beginning was not seen is not the task's doing.
  EXPECT_EQ(context.classify({soft, 1, 2}, none, none), Cause::softirq);
}

TEST(EntryContext, TheLoopsCallerTellsWhoRanTheSoftirq) {
  const auto loop = trait_of("handle_softirqs");
  EntryContext context;
  EXPECT_EQ(context.classify({0, 1, 2}, loop, trait_of("do_softirq.part.0")), Cause::process);
  EXPECT_EQ(context.classify({soft, 3, 1}, none, loop), Cause::softirq_bh);
  EXPECT_EQ(context.classify({hard | soft, 4, 3}, none, none), Cause::hardirq);
  EXPECT_EQ(context.classify({soft, 3, 1}, none, loop), Cause::softirq_bh) << "after a nested interrupt";
  EXPECT_EQ(context.classify({0, 5, 6}, none, none), Cause::process);
  EXPECT_EQ(context.classify({0, 1, 7}, loop, trait_of("__irq_exit_rcu")), Cause::softirq);
  EXPECT_EQ(context.classify({soft, 3, 1}, none, loop), Cause::softirq);
}

TEST(EntryContext, InterruptsBeginAndEndWithTheTasksFlags) {
  const auto edge = trait_of("irq_exit_rcu");
  EntryContext context;
  EXPECT_EQ(context.classify({irqs_off, 10, 11}, trait_of("irq_enter_rcu"),
                             trait_of("sysvec_apic_timer_interrupt")),
            Cause::hardirq);
  EXPECT_EQ(context.classify({hard, 12, 11}, none, none), Cause::hardirq);
  EXPECT_EQ(context.classify({irqs_off, 13, 11}, edge, trait_of("sysvec_apic_timer_interrupt")),
            Cause::hardirq);
  EXPECT_EQ(context.classify({irqs_off, 14, 13}, none, edge), Cause::hardirq) << "called by the exit code";
  EXPECT_EQ(context.classify({irqs_off, 15, 14}, none, none), Cause::hardirq) << "and by what that calls";
  EXPECT_EQ(context.classify({0, 16, 17}, none, none), Cause::process);
}

TEST(DisarmPlan, WaitsUntilTheWasteCostsAsMuchAsTheChange) {
  DisarmPlan plan(3);
  plan.set_entry_cost(100);
  plan.changed(1000);
  plan.begin_window();
  plan.saw(0, true, false);
  EXPECT_FALSE(plan.worthwhile());
  for (int i = 0; i < 9; ++i) plan.saw(0, true, false);
  EXPECT_FALSE(plan.worthwhile());
  plan.saw(0, false, false);
  EXPECT_TRUE(plan.worthwhile());
  EXPECT_THAT(plan.take(), ElementsAre(0));
  EXPECT_FALSE(plan.worthwhile());
  EXPECT_EQ(plan.disarmed(), 1u);
  EXPECT_THAT(plan.censored(), IsEmpty());
  plan.begin_window();
  EXPECT_EQ(plan.disarmed(), 0u);
  plan.saw(0, true, false);
  EXPECT_THAT(plan.take(), ElementsAre(0)) << "again, after it was armed again";
}

TEST(DisarmPlan, InterruptsAloneHaveToBeManyAndCensor) {
  DisarmPlan plan(2);
  plan.begin_window();
  plan.system_calls(DisarmPlan::kOpportunities);
  for (uint32_t i = 1; i < DisarmPlan::kInterruptPatience; ++i) plan.saw(1, false, false);
  EXPECT_THAT(plan.take(), IsEmpty());
  plan.saw(1, false, false);
  EXPECT_THAT(plan.take(), ElementsAre(1));
  EXPECT_THAT(plan.censored(), ElementsAre(1));
  plan.begin_window();
  plan.saw(1, true, false);
  EXPECT_THAT(plan.censored(), IsEmpty()) << "its task context is known by now";
  for (uint32_t i = 0; i < 1000; ++i) plan.saw(0, true, true);
  EXPECT_THAT(plan.take(), ElementsAre(1)) << "what others are understood by stays";
}

TEST(DisarmPlan, NothingIsCutShortWhileNobodyMakesSystemCalls) {
  DisarmPlan plan(2);
  plan.begin_window();
  plan.system_calls(DisarmPlan::kOpportunities - 1);
  for (uint32_t i = 0; i < 2 * DisarmPlan::kInterruptPatience; ++i) plan.saw(1, false, false);
  EXPECT_THAT(plan.take(), IsEmpty());
  plan.system_calls(DisarmPlan::kOpportunities);
  plan.saw(1, false, false);
  EXPECT_THAT(plan.take(), ElementsAre(1));
}

Kallsyms symbols_of(const std::string& text) {
  auto symbols = Kallsyms::parse(text);
  EXPECT_TRUE(symbols);
  return *symbols;
}

TEST(Traceable, AddressesOfCallSites) {
  const auto symbols = symbols_of(
      "ffffffff81001000 T one\nffffffff81001ff0 t __pfx_two\nffffffff81002000 t two\n"
      "ffffffff81003000 T three\nffffffffc0001000 t kvm_one\t[kvm]\n");
  const auto list = parse_traceable(
      "ffffffff81001004 one\nffffffff81002000 two\nffffffff81002800 __ftrace_invalid_address___2048\n"
      "ffffffff81003004 three\nffffffffc0001004 kvm_one [kvm]\n",
      symbols);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->functions.size(), 4u);
  EXPECT_EQ(list->functions[0].address, 0xffffffff81001000u);
  EXPECT_EQ(list->functions[1].address, 0xffffffff81002000u);
  EXPECT_EQ(list->functions[2].name, "three");
  EXPECT_EQ(list->functions[2].record, 4u) << "an invalid line keeps its number";
  EXPECT_EQ(list->functions[3].module, "kvm");
  EXPECT_EQ(list->functions[3].address, 0xffffffffc0001000u);
}

TEST(Traceable, NamesThatOccurTwiceAreToldApartByOrder) {
  const auto symbols = symbols_of(
      "ffffffff81001000 t show\nffffffff81002000 T middle\nffffffff81003000 t show\nffffffff81004000 T end\n"
      "ffffffff81005000 t show\nffffffffc0001000 t show\t[kvm]\n");
  const auto list = parse_traceable("show\nmiddle\nshow\nend\nshow\nshow [kvm]\nunknown\n", symbols);
  ASSERT_TRUE(list);
  std::vector<uint64_t> addresses;
  for (const auto& function : list->functions) addresses.push_back(function.address);
  EXPECT_THAT(addresses, ElementsAre(0xffffffff81001000, 0xffffffff81002000, 0xffffffff81003000,
                                     0xffffffff81004000, 0xffffffff81005000, 0xffffffffc0001000));
  EXPECT_THAT(list->unplaced, ElementsAre("unknown"));
  EXPECT_FALSE(parse_traceable("two words\n", symbols));
}

TEST(TraceInstance, NamesTellTheirMaker) {
  const auto name = parse_instance_name("hapmeter-123-456-probe");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->pid, 123);
  EXPECT_EQ(name->start_ticks, 456u);
  EXPECT_TRUE(parse_instance_name("hapmeter-1-0"));
  for (const char* other :
       {"foo", "hapmeter-", "hapmeter-x-1", "hapmeter-1", "hapmeter--1-2", "hapmeter-1-x"}) {
    EXPECT_FALSE(parse_instance_name(other)) << other;
  }
  EXPECT_TRUE(process_start_ticks(::getpid()));
  EXPECT_FALSE(process_start_ticks(0));
}

}  // namespace
}  // namespace hap::collect
