// Tables of a list: the last column is folded, and nothing is wider than was asked for.
#include "cli/text_table.h"

#include <gtest/gtest.h>

namespace hap::cli {
namespace {

TEST(TextTable, FoldsTheLastColumnAtSpaces) {
  EXPECT_EQ(text_table({{"name", "one two three four five six seven eight nine"}}, 30),
            "name  one two three four five\n"
            "      six seven eight nine\n");
}

// Intent: a path is no reason for a line that is too wide, and its parts put together are the path.
TEST(TextTable, BreaksAPathBehindASlash) {
  EXPECT_EQ(text_table({{"plugin", "at /srv/build/hapmeter/dev/emulator-plugin/lib.so now"}}, 30),
            "plugin  at\n"
            "        /srv/build/hapmeter/\n"
            "        dev/emulator-plugin/\n"
            "        lib.so now\n");
}

TEST(TextTable, CutsAWordWithoutASlash) {
  EXPECT_EQ(text_table({{"id", "0123456789012345678901234567"}}, 28),
            "id  012345678901234567890123\n"
            "    4567\n");
}

}  // namespace
}  // namespace hap::cli
