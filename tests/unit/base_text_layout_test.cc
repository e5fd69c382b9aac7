// Text within its columns.
#include <gtest/gtest.h>

#include "base/text_layout.h"

namespace hap {
namespace {

TEST(FoldedLines, LeavesShortLinesAlone) {
  for (const char* text : {"", "\n", "a b\n\n  c\n", "no end"}) EXPECT_EQ(folded_lines(text, 10), text);
}

TEST(FoldedLines, FoldsAtSpacesAndIndents) {
  EXPECT_EQ(folded_lines("one two three four\nfive\n", 10), "one two\n    three\n    four\nfive\n");
  EXPECT_EQ(folded_lines("  a b c d e f g", 12), "  a b c d e\n      f g");
  EXPECT_EQ(folded_lines("ää öö üü ëë", 8), "ää öö üü\n    ëë") << "columns, not bytes";
}

TEST(FoldedLines, ContinuesTheSecondColumn) {
  EXPECT_EQ(folded_lines("  --all   shows all that there is\n", 20, 10),
            "  --all   shows all\n          that there\n          is\n");
  EXPECT_EQ(folded_lines("  --very-long-option shows it all\n", 20, 10),
            "  --very-long-option\n      shows it all\n")
      << "no second column there";
}

TEST(FoldedLines, CutsWhatFitsNowhere) {
  const auto folded = folded_lines(std::string(25, 'x') + "\n", 10);
  EXPECT_EQ(folded, "xxxxxxxxxx\n    xxxxxx\n    xxxxxx\n    xxx\n");
}

TEST(ColumnBlocks, PutsColumnsBelowEachOtherWhenTheyDoNotFit) {
  const std::vector<std::vector<std::string>> rows = {{"", "bare", "docker", "kvm"},
                                                      {"met", "557", "554", "606"}};
  EXPECT_EQ(column_blocks(rows, 100), "     bare  docker  kvm\nmet  557   554     606\n");
  EXPECT_EQ(column_blocks(rows, 18), "     bare  docker\nmet  557   554\n\n     kvm\nmet  606\n");
  EXPECT_EQ(column_blocks(rows, 1), "     bare\nmet  557\n\n     docker\nmet  554\n\n     kvm\nmet  606\n");
  EXPECT_EQ(column_blocks({}, 100), "");
}

}  // namespace
}  // namespace hap
