// CheckedReader: reads of hostile bytes never leave them.
#include "base/checked_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace hap {
namespace {

TEST(CheckedReader, ReadsLittleEndianAndStopsAtTheEnd) {
  const std::string bytes("\x01\x02\x03\x04\x05", 5);
  CheckedReader reader{std::string_view(bytes)};
  EXPECT_EQ(reader.read<uint32_t>(), 0x04030201U);
  EXPECT_EQ(reader.remaining(), 1U);
  EXPECT_EQ(reader.read<uint16_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0U) << "a failed reader stays failed";
  EXPECT_EQ(reader.read<uint8_t>(), 0U);
}

TEST(CheckedReader, UlebLongerThan64BitsFails) {
  const std::string good("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
  CheckedReader reader{std::string_view(good)};
  EXPECT_EQ(reader.read_uleb128(), UINT64_MAX);
  EXPECT_TRUE(reader.ok());
  const std::string bad("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
  CheckedReader overlong{std::string_view(bad)};
  overlong.read_uleb128();
  EXPECT_FALSE(overlong.ok());
}

TEST(CheckedReader, UnterminatedStringFails) {
  CheckedReader reader{std::string_view("abc")};
  EXPECT_EQ(reader.read_c_string(), "");
  EXPECT_FALSE(reader.ok());
  const std::string two("ab\0cd\0", 6);
  CheckedReader pair{std::string_view(two)};
  EXPECT_EQ(pair.read_c_string(), "ab");
  EXPECT_EQ(pair.read_c_string(), "cd");
  EXPECT_TRUE(pair.at_end());
}

TEST(CheckedReader, RangeOutsideFailsEvenWhenOffsetPlusSizeOverflows) {
  CheckedReader reader{std::string_view("0123456789")};
  EXPECT_EQ(reader.at(2, 3).read_bytes(3), "234");
  EXPECT_FALSE(reader.at(8, 3).ok());
  EXPECT_FALSE(reader.at(UINT64_MAX, 2).ok());
  EXPECT_FALSE(reader.at(2, UINT64_MAX).ok());
}

}  // namespace
}  // namespace hap
