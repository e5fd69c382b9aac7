// Sets of windows: the encoding is CRoaring's, the decoder is ours and must agree with it and trust nothing.
#include "recording/window_set.h"

#include <gtest/gtest.h>

#include <random>

namespace hap::recording {
namespace {

std::vector<uint32_t> random_set(std::mt19937& random, uint32_t range, double density) {
  std::vector<uint32_t> members;
  std::bernoulli_distribution in(density);
  for (uint32_t value = 0; value < range; ++value) {
    if (in(random)) members.push_back(value);
  }
  return members;
}

TEST(WindowSet, EveryContainerKindSurvives) {
  std::mt19937 random(7);
  // Arrays, bitsets (more than 4,096 of 65,536) and runs, in one and in several containers.
  for (const uint32_t range : {1U, 60U, 65536U, 400000U}) {
    for (const double density : {0.01, 0.1, 0.5, 0.999, 1.0}) {
      const auto members = random_set(random, range, density);
      if (members.empty()) continue;
      const auto decoded = decode_window_set(encode_window_set(members));
      ASSERT_TRUE(decoded.ok()) << range << " " << density;
      EXPECT_EQ(*decoded, members);
    }
  }
  const std::vector<uint32_t> extremes = {0, 65535, 65536, 0xffffffff};
  EXPECT_EQ(*decode_window_set(encode_window_set(extremes)), extremes);
}

TEST(WindowSet, CutOrExtendedIsRefused) {
  std::mt19937 random(8);
  const auto bytes = encode_window_set(random_set(random, 70000, 0.01));
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(decode_window_set(std::string_view(bytes).substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(decode_window_set(bytes + "x").ok());
}

TEST(WindowSet, WhateverTheBytesTheResultIsAscendingOrAnError) {
  std::mt19937 random(9);
  const auto original = encode_window_set(random_set(random, 140000, 0.02));
  for (int round = 0; round < 3000; ++round) {
    auto bytes = original;
    for (int flips = 0; flips < 3; ++flips)
      bytes[random() % std::min<size_t>(bytes.size(), 200)] ^= 1 << random() % 8;
    const auto decoded = decode_window_set(bytes);
    if (!decoded) continue;
    ASSERT_TRUE(std::is_sorted(decoded->begin(), decoded->end(), std::less_equal<>()));
  }
}

TEST(WindowSet, AClaimOfTooManyMembersIsRefusedBeforeAnyMemoryIsTaken) {
  std::vector<uint32_t> members(70000);
  for (uint32_t i = 0; i < members.size(); ++i) members[i] = i;
  EXPECT_FALSE(decode_window_set(encode_window_set(members), 1000).ok());
}

}  // namespace
}  // namespace hap::recording
