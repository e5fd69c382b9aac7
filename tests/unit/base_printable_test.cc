// Hostile names on a terminal.
#include <gtest/gtest.h>

#include "base/printable.h"

namespace hap {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  for (const char* text : {"", "redis-server", "a b", "größe", "日本語", "🦊", "\\n"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, WritesOutWhatMovesTheCursorOrTurnsTheLine) {
  EXPECT_EQ(printable("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(printable("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\x7f\xc2\x9b"), "\\x7f\\x9b") << "DEL and the one-byte CSI";
  EXPECT_EQ(printable("\u202egnp.exe"), "\\u202egnp.exe");
  EXPECT_EQ(printable("a\u200bb\ufeff"), "a\\u200bb\\ufeff");
  EXPECT_EQ(printable("\U000e0041"), "\\U000e0041") << "tag characters are invisible";
}

TEST(Printable, WritesOutWhatIsNoUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3") << "cut short";
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "an overlong slash";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a surrogate pair";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond the last character";
}

TEST(Printable, CutsAtCharacters) {
  EXPECT_EQ(printable("tcp_sendmsg", 11), "tcp_sendmsg");
  EXPECT_EQ(printable("tcp_sendmsg", 10), "tcp_sen...");
  EXPECT_EQ(printable("ääääää", 5), "ää...");
  EXPECT_EQ(text_width(printable(std::string(1000, '\x1b'), 40)), 40U);
  EXPECT_EQ(printable("abc", 2), "..");
}

TEST(Printable, AWholeTextKeepsItsLinesAndColours) {
  EXPECT_EQ(printable_lines("a\n\tb \x1b[31mred\x1b[0m\n"), "a\n\tb \x1b[31mred\x1b[0m\n");
  EXPECT_EQ(printable_lines("\x1b[2J\x1b[31"), "\\x1b[2J\\x1b[31")
      << "no other sequence, and none that is cut short";
}

}  // namespace
}  // namespace hap
