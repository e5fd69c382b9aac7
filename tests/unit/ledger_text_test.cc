// Phrases, globs, dates.
#include <gtest/gtest.h>

#include "ledger/date.h"
#include "ledger/text.h"

namespace hap::ledger {
namespace {

std::vector<bool> found_in(const std::vector<std::string>& phrases, const std::string& text) {
  PhraseSet set;
  std::vector<size_t> numbers;
  for (const auto& phrase : phrases) numbers.push_back(set.add(phrase));
  set.compile();
  std::vector<bool> hits;
  set.find(normalise_text(text), hits);
  std::vector<bool> result;
  for (const size_t number : numbers) result.push_back(hits[number]);
  return result;
}

TEST(PhraseSet, MatchesWholeWordsWhateverStandsBetween) {
  const std::vector<bool> expected{true, false, true, true};
  EXPECT_EQ(found_in({"guest OS user*", "rash", "denial of service", "crash"},
                     "allows guest OS\nusers to cause a Denial of  Service (host OS crash)."),
            expected);
}

TEST(PhraseSet, FindsPhrasesInsideAndAtTheEndOfOthers) {
  const std::vector<bool> expected{true, true, true, false};
  EXPECT_EQ(found_in({"host os crash", "host", "os crash", "crash host"}, "host OS crash"), expected);
}

TEST(PhraseSet, StarsOpenWords) {
  const std::vector<bool> expected{true, false, true};
  EXPECT_EQ(found_in({"alloc*", "alloc", "*flow"}, "allocation overflow"), expected);
}

TEST(PhraseSet, EqualPhrasesShareANumberAndNothingMatchesNothing) {
  PhraseSet set;
  EXPECT_EQ(set.add("Denial of Service"), set.add("denial  of service"));
  set.compile();
  std::vector<bool> hits;
  set.find(normalise_text(""), hits);
  EXPECT_EQ(hits, std::vector<bool>{false});
  set.find(normalise_text("\xff\xfe\x80 denial of service \xc3"), hits);
  EXPECT_EQ(hits, std::vector<bool>{true});
}

TEST(Glob, MatchesAcrossSlashesWithoutBlowingUp) {
  EXPECT_TRUE(glob_match("arch/x86/kvm/*", "arch/x86/kvm/svm/nested.c"));
  EXPECT_FALSE(glob_match("arch/x86/kvm/*", "arch/x86/kernel/kvm.c"));
  EXPECT_TRUE(glob_match("fs/?io.c", "fs/aio.c"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST(Dates, OnlyRealDaysAreDates) {
  EXPECT_EQ(parse_date("2024-02-29T10:00:00.000Z"), "2024-02-29");
  EXPECT_EQ(parse_date("2015-10-29 12:00"), "2015-10-29");
  for (const char* absurd : {"2023-02-29", "2024-13-01", "2024-00-10", "0001-01-01", "9999-12-31", "2024-1-1",
                             "20240101", "99999-01-01", "2024-01-01garbage", "yesterday", "", "-024-01-01"}) {
    EXPECT_EQ(parse_date(absurd), std::nullopt) << absurd;
  }
  EXPECT_EQ(year_in_id("CVE-2024-26581"), 2024);
  EXPECT_EQ(year_in_id("XSA-148"), std::nullopt);
  EXPECT_EQ(year_in_id("CVE-20x4-1"), std::nullopt);
}

}  // namespace
}  // namespace hap::ledger
