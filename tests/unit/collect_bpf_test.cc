// The bpf collector's decisions: whom a refused link is about, and what is worth taking off.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <numeric>
#include <set>

#include "collect/bpf/arming.h"
#include "collect/bpf/entry_links.h"
#include "collect/bpf/function_places.h"

namespace hap::collect {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<uint32_t> numbers(uint32_t count) {
  std::vector<uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// A kernel that refuses some functions, and links of more than `room` functions.
class Kernel {
 public:
  std::set<uint32_t> refused;
  size_t room = 1000000;
  int error = EINVAL;
  int made = 0;

  MakeLink links() {
    return [this](std::span<const uint32_t> functions) -> int {
      if (functions.size() > room) return -ENOMEM;
      for (const uint32_t function : functions) {
        if (refused.count(function) != 0) return -error;
      }
      ++made;
      return eventfd(0, 0);
    };
  }
};

TEST(EntryLinks, AllWithOneLink) {
  Kernel kernel;
  const auto result = attach_all(numbers(1000), kernel.links());
  ASSERT_TRUE(result);
  ASSERT_EQ(result->links.size(), 1u);
  EXPECT_EQ(result->links[0].functions, numbers(1000));
  EXPECT_THAT(result->refused, IsEmpty());
  EXPECT_EQ(kernel.made, 1);
}

TEST(EntryLinks, HalvedWhereMemoryIsShort) {
  Kernel kernel;
  kernel.room = 300;
  const auto result = attach_all(numbers(1000), kernel.links());
  ASSERT_TRUE(result);
  std::vector<uint32_t> attached;
  for (const auto& link : result->links) {
    EXPECT_LE(link.functions.size(), 300u);
    attached.insert(attached.end(), link.functions.begin(), link.functions.end());
  }
  EXPECT_EQ(attached, numbers(1000));
  EXPECT_THAT(result->refused, IsEmpty());
}

// Intent: one refused function must not cost the others, and is named.
TEST(EntryLinks, RefusedFunctionsAreFoundAndTheOthersAttached) {
  Kernel kernel;
  kernel.refused = {0, 500, 999};
  const auto result = attach_all(numbers(1000), kernel.links());
  ASSERT_TRUE(result);
  EXPECT_THAT(result->refused, UnorderedElementsAre(0u, 500u, 999u));
  ASSERT_EQ(result->links.size(), 1u);
  EXPECT_EQ(result->links[0].functions.size(), 997u);
}

TEST(EntryLinks, RefusedAndShortOfMemoryAtOnce) {
  Kernel kernel;
  kernel.refused = {77};
  kernel.room = 100;
  const auto result = attach_all(numbers(400), kernel.links());
  ASSERT_TRUE(result);
  EXPECT_THAT(result->refused, ElementsAre(77u));
  size_t attached = 0;
  for (const auto& link : result->links) attached += link.functions.size();
  EXPECT_EQ(attached, 399u);
}

TEST(EntryLinks, MissingRightsAreAnErrorAndNotARefusedFunction) {
  Kernel kernel;
  kernel.refused = {5};
  kernel.error = EPERM;
  const auto result = attach_all(numbers(10), kernel.links());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().err(), EPERM);
  EXPECT_FALSE(result.error().hint().empty());
}

// Intent: a kernel without kprobe multi must not look like one that refuses every function.
TEST(EntryLinks, AKernelThatRefusesEverythingIsAnError) {
  Kernel kernel;
  for (const uint32_t function : numbers(8)) kernel.refused.insert(function);
  const auto result = attach_all(numbers(8), kernel.links());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::unsupported);
}

TEST(EntryLinks, NotEvenMemoryForOne) {
  Kernel kernel;
  kernel.room = 0;
  EXPECT_FALSE(attach_all(numbers(4), kernel.links()));
}

// Intent: whichever address of an entry the kernel shows, in front of or behind endbr64 and the call.
TEST(FunctionPlaces, AFunctionIsFoundByAllAddressesOfItsEntry) {
  const std::vector<uint64_t> addresses{0xffffffff81000000, 0xffffffff81000020, 0xffffffff8100004c};
  const FunctionPlaces places(addresses);
  EXPECT_EQ(places.begin(), addresses[0]);
  for (uint32_t number = 0; number < addresses.size(); ++number) {
    for (const uint64_t behind : {0, 4, 5, 9}) {
      const uint64_t place = (addresses[number] + behind - places.begin()) / FunctionPlaces::kGrain;
      ASSERT_LT(place, places.numbers().size());
      EXPECT_EQ(places.numbers()[place], number) << behind;
    }
  }
  EXPECT_EQ(places.numbers()[1], FunctionPlaces::kNone);
}

// Intent: where two functions could be meant, none is: the cookie is asked for.
TEST(FunctionPlaces, AContestedPlaceIsNobodys) {
  const FunctionPlaces places(std::vector<uint64_t>{0x1000, 0x1018, 0x1020});
  EXPECT_THAT(places.numbers(), ElementsAre(0, 1, FunctionPlaces::kNone));
}

TEST(FunctionPlaces, ModulesFarAwayHaveNone) {
  const FunctionPlaces places(std::vector<uint64_t>{0xffffffff81000000, 0xffffffffc0000000});
  EXPECT_THAT(places.numbers(), ElementsAre(0));
  EXPECT_THAT(FunctionPlaces({}).numbers(), IsEmpty());
}

constexpr WindowProgress early{kOpportunities - 1, kOthersPatience};
constexpr WindowProgress young{kOpportunities, kOthersPatience - 1ns};
constexpr WindowProgress late{kOpportunities, kOthersPatience};

TEST(Arming, SeenInAProcessIsDone) {
  EXPECT_TRUE(done_with({true}, {}));
  EXPECT_FALSE(done_with({false}, late));
}

// Intent: what runs in both contexts gets a chance to be seen in the process first.
TEST(Arming, InterruptsAndKernelThreadsNeedManyEntriesAndOpportunities) {
  EXPECT_FALSE(done_with({false, kOften - 1, kOften - 1, kPatience}, young));
  EXPECT_FALSE(done_with({false, kOften, kOften, kPatience}, early));
  EXPECT_FALSE(done_with({false, kOften, kOften, kPatience - 1}, late));
  EXPECT_TRUE(done_with({false, kOften, 0, kPatience}, young));
  EXPECT_TRUE(done_with({false, 0, kOften, kPatience}, young));
}

TEST(Arming, OthersNeedTimeToo) {
  EXPECT_FALSE(done_with({false, 0, 0, kPatience}, young));
  EXPECT_TRUE(done_with({false, 0, 0, kPatience}, late));
}

constexpr TracingCosts costs{1e6, 1e3, 1e3};  // a link: 1 ms; a function: 1 us; an entry: 1 us

TEST(Arming, NothingDoneIsNeverWorthAChange) {
  LinkAccount link(1000);
  EXPECT_FALSE(link.worth_replacing(0, 1000, {10ms, 10ms, 10s}, costs));
}

TEST(Arming, BusyFunctionsAreTakenOffAtOnce) {
  LinkAccount link(600);
  // 1000 entries in 10 ms, with 10 s to go: a million more entries, a second of waste.
  EXPECT_TRUE(link.worth_replacing(1000, 100, {10ms, 10ms, 10s}, costs));
}

TEST(Arming, NotInTheLastMoments) {
  LinkAccount link(600);
  EXPECT_FALSE(link.worth_replacing(1000, 100, {10ms, 10ms, 1ms}, costs));
}

// Intent: a program that starts on another processor enters much for a moment; that says nothing of the rest
// of the window.
TEST(Arming, ABurstIsJudgedByTheWholeWindow) {
  LinkAccount link(600);  // replacing costs 1.35 ms
  link.begin_window();
  EXPECT_TRUE(LinkAccount(600).worth_replacing(1000, 100, {10ms, 10ms, 10s}, costs));
  EXPECT_FALSE(link.worth_replacing(1000, 100, {10ms, 10s, 10s}, costs));
  // And what has always been there and then ends is judged by now.
  LinkAccount ended(600);
  EXPECT_FALSE(ended.worth_replacing(0, 100, {1s, 10s, 10s}, costs));
}

TEST(Arming, ALargeLinkWaitsUntilItHasWastedSomething) {
  LinkAccount link(44000);  // replacing costs some 45 ms
  EXPECT_FALSE(link.worth_replacing(10'000, 43000, {10ms, 10ms, 10s}, costs));
  EXPECT_TRUE(link.worth_replacing(15'000, 43000, {10ms, 10ms, 10s}, costs));
}

// Intent: waste adds up over windows, so what never pays within one is paid once.
TEST(Arming, SlowWasteIsPaidForInTheEnd) {
  LinkAccount link(2000);  // replacing costs 2.95 ms, that is 2,950 entries
  int looks = 1;
  while (!link.worth_replacing(100, 1900, {1s, 1s, 0s}, costs) && looks < 1000) ++looks;
  EXPECT_EQ(looks, 30);
}

TEST(Arming, ClosingAloneIsCheaper) {
  LinkAccount with_rest(100);
  LinkAccount without_rest(100);
  EXPECT_FALSE(with_rest.worth_replacing(900, 50, {1s, 1s, 0s}, costs));
  EXPECT_TRUE(without_rest.worth_replacing(900, 0, {1s, 1s, 0s}, costs));
}

TEST(Arming, WhatLinksCostIsLearnt) {
  TracingCosts learning = costs;
  EXPECT_DOUBLE_EQ(learning.replacing(1000, 500), 1e6 + 0.75e6);
  EXPECT_DOUBLE_EQ(learning.replacing(1000, 0), 0.5e6 + 0.5e6);
  for (int i = 0; i < 50; ++i) learning.learn(1000, 500, 4750us);
  EXPECT_NEAR(learning.link, 4e6, 1e3);
  EXPECT_NEAR(learning.replacing(1000, 500), 4.75e6, 1e3);
  for (int i = 0; i < 50; ++i) learning.learn(1000, 0, 1500us);
  EXPECT_NEAR(learning.link, 2e6, 1e3);
  learning.learn(1000, 500, 0us);
  EXPECT_GE(learning.link, 0);
}

}  // namespace
}  // namespace hap::collect
