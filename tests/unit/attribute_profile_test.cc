// What a profile knows of the code: functions, inlined functions, lines, bytes, windows, and what has no
// name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_cell.h"

namespace hap {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using testing_support::hap_functions;
using testing_support::names_of;
using testing_support::SampleCell;
using testing_support::SampleImages;

Profile profile_of(const SampleCell& cell) {
  auto profile = cell.profile();
  EXPECT_TRUE(profile.ok()) << (profile.ok() ? "" : profile.error().to_string());
  return std::move(*profile);
}

Selection hap_of(const Profile& profile) {
  return profile.select([](const Account& account) { return counts_as_hap(account); });
}

std::vector<std::string> lines_of(const Profile& profile) {
  std::vector<std::string> lines;
  for (const uint32_t id : profile.lines_hit(hap_of(profile))) {
    const auto& line = profile.lines()[id];
    lines.push_back(profile.files()[line.file].path + ":" + std::to_string(line.line));
  }
  return lines;
}

TEST(ProfileCode, AFunctionBringsItsLinesItsInlinedFunctionsAndTheirLines) {
  SampleCell cell;
  cell.hit(cell.function("tcp_sendmsg"), cell.actor(cell.task("redis", "/hap/cell", 100)));
  const auto profile = profile_of(cell);
  EXPECT_THAT(hap_functions(profile), ElementsAre("tcp_sendmsg"));
  EXPECT_THAT(names_of(profile, profile.functions_inlined(hap_of(profile))), ElementsAre("twice"));
  const auto lines = lines_of(profile);
  EXPECT_THAT(lines, IsSupersetOf({"net/ipv4/tcp.c:4", "net/ipv4/tcp.c:5", "include/linux/sample.h:3"}));
  EXPECT_THAT(lines, Not(Contains("net/ipv4/tcp.c:9"))) << "that is tcp_ack";
  const auto id = profile.functions_hit(hap_of(profile)).at(0);
  EXPECT_EQ(profile.functions()[id].file, "net/ipv4/tcp.c");
  EXPECT_EQ(profile.functions()[id].line, 2U);
  EXPECT_EQ(profile.functions()[id].lines, 5U);
  EXPECT_EQ(profile.subsystems()[profile.functions()[id].subsystem], "net/ipv4");
}

TEST(ProfileCode, AnInlinedLineCountsOnceHoweverManyFunctionsContainIt) {
  SampleCell cell;
  const auto actor = cell.actor(cell.task("redis", "/hap/cell", 100));
  cell.hit(cell.function("tcp_sendmsg"), actor);
  cell.hit(cell.function("vfs_read"), actor);
  const auto lines = lines_of(profile_of(cell));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "include/linux/sample.h:3"), 1);
}

TEST(ProfileCode, BytesCountOnceThoughBlocksOverlap) {
  SampleCell cell;
  const auto actor = cell.actor(cell.task("redis", "/hap/cell", 100));
  const auto range = SampleImages::get().range("vfs_read");
  cell.hit(cell.block(1, range.begin, 6), actor);
  cell.hit(cell.block(1, range.begin + 2, 4), actor);  // inside the first
  cell.hit(cell.block(1, range.begin + 4, 6), actor);  // overlaps its end
  cell.hit(cell.block(1, range.begin, 6), actor);      // patched and run again
  cell.blocks.back().code_hash = 1;
  const auto profile = profile_of(cell);
  EXPECT_EQ(profile.bytes_executed(hap_of(profile)), 10U);
  EXPECT_EQ(profile.bytes_by_function(hap_of(profile)).at(profile.functions_hit(hap_of(profile)).at(0)), 10U);
}

TEST(ProfileCode, AddressesWithoutAFunctionGetALabelAndAreCounted) {
  SampleCell cell;
  const auto actor = cell.actor(cell.task("redis", "/hap/cell", 100));
  const auto module = cell.image(ImageKind::module, Space::host, "veth");
  const auto bpf = cell.image(ImageKind::bpf, Space::host, "[bpf]");
  cell.hit(cell.function("vfs_read"), actor);
  cell.hit(cell.block(1, 0xffffffff80000000, 8), actor);
  cell.hit(cell.block(module, 0x40, 8), actor);
  cell.hit(cell.block(bpf, 0xffffffffc1000000, 8), actor);
  const auto profile = profile_of(cell);
  const auto hap = hap_of(profile);
  EXPECT_THAT(names_of(profile, profile.labels_hit(hap)), ElementsAre("[bpf]", "[unresolved]", "[veth]"));
  EXPECT_THAT(hap_functions(profile), ElementsAre("vfs_read")) << "labels are no functions";
  EXPECT_EQ(profile.unresolved_blocks(hap), 3U);
  EXPECT_EQ(profile.blocks_hit(hap), 4U);
  uint64_t bytes = 0;
  for (const auto each : profile.bytes_by_function(hap)) bytes += each;
  EXPECT_EQ(bytes, *profile.bytes_executed(hap)) << "every byte has one label";
  EXPECT_FALSE(profile.images()[1].indexed);
  EXPECT_FALSE(profile.images()[1].why_not.empty());
}

TEST(ProfileCode, AFunctionCollectorGivesFunctionsAndNoLines) {
  SampleCell cell;
  cell.meta["granularity"] = "function";
  const auto range = SampleImages::get().range("vfs_read");
  cell.hit(cell.block(1, range.begin, 0), cell.actor(cell.task("redis", "/hap/cell", 100)));
  const auto profile = profile_of(cell);
  EXPECT_FALSE(profile.exact());
  EXPECT_THAT(hap_functions(profile), ElementsAre("vfs_read"));
  EXPECT_THAT(profile.lines_hit(hap_of(profile)), IsEmpty());
  EXPECT_EQ(profile.bytes_executed(hap_of(profile)), std::nullopt);
}

TEST(ProfileCode, WindowsAreNumberedWithinTheSelection) {
  SampleCell cell;
  const auto redis = cell.task("redis", "/hap/cell", 100);
  cell.hit(cell.function("vfs_read"), cell.actor(redis), {1, 2, 5});
  cell.hit(cell.function("tcp_ack"), cell.actor(redis), {3});
  const auto profile = profile_of(cell);
  const auto hap = hap_of(profile);
  EXPECT_EQ(Profile::window_count(hap), 4U);
  std::map<std::string, std::vector<uint32_t>> seen;
  profile.for_each_function_windows(hap, [&](uint32_t id, std::span<const uint32_t> windows) {
    seen[profile.functions()[id].name] = {windows.begin(), windows.end()};
  });
  EXPECT_THAT(seen["vfs_read"], ElementsAre(0, 3)) << "window 1 is setup";
  EXPECT_THAT(seen["tcp_ack"], ElementsAre(1));
}

TEST(ProfileCode, ManyWindowsDoNotFitOneWord) {
  SampleCell cell;
  cell.windows.clear();
  for (uint32_t id = 1; id <= 200; ++id) cell.windows.push_back({id * 3, Phase::serve, id, id + 1, 1});
  cell.hit(cell.function("vfs_read"), cell.actor(cell.task("redis", "/hap/cell", 100)), {3, 300, 600});
  const auto profile = profile_of(cell);
  size_t count = 0;
  profile.for_each_function_windows(hap_of(profile), [&](uint32_t, std::span<const uint32_t> windows) {
    ++count;
    EXPECT_THAT(std::vector<uint32_t>(windows.begin(), windows.end()), ElementsAre(0, 99, 199));
  });
  EXPECT_EQ(count, 1U);
}

}  // namespace
}  // namespace hap
