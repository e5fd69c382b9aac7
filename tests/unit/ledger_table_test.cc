// Classification by rules and by people, the table, and the measure of the rules.
#include <nlohmann/json.hpp>

#include "ledger/accuracy.h"
#include "ledger_fixture.h"

namespace hap::ledger {
namespace {

class TableTest : public LedgerTest {
 protected:
  Table table(int year, bool rules_only = false, const std::string& user_file = {}) const {
    auto opened = book(rules_only, user_file);
    EXPECT_TRUE(opened.ok()) << opened.error().to_string();
    return make_table(*opened, {{year, year}, DateBasis::published});
  }
};

// A test of the table, not of the world: the classification was made with these figures in view.
TEST_F(TableTest, TheShippedClassificationGivesThePublishedRangesInEveryCellButTheMarkedOne) {
  const auto result = table(2014);
  struct Expected {
    const char* technology;
    Impact impact;
    int low, high;
  };
  const auto pe = Impact::privilege_escalation;
  const auto dos = Impact::denial_of_service;
  const auto il = Impact::information_leak;
  const Expected cells[] = {
      {"xen-pv", pe, 0, 0},  {"kvm", pe, 3, 5},  {"linux-container", pe, 7, 9},    {"linux-app", pe, 4, 4},
      {"xen-pv", dos, 3, 3}, {"kvm", dos, 5, 7}, {"linux-container", dos, 12, 12}, {"linux-app", dos, 3, 3},
      {"xen-pv", il, 1, 1},  {"kvm", il, 1, 1},  {"linux-container", il, 1, 1},    {"linux-app", il, 1, 1}};
  int deviations = 0;
  for (const auto& expected : cells) {
    const auto* cell = result.find(expected.technology, expected.impact);
    ASSERT_NE(cell, nullptr);
    EXPECT_EQ(cell->low, expected.low) << expected.technology << " " << to_string(expected.impact);
    EXPECT_EQ(cell->high, expected.high) << expected.technology << " " << to_string(expected.impact);
    ASSERT_TRUE(cell->published.has_value());
    if (!cell->published->deviation.empty()) {
      ++deviations;
      EXPECT_EQ(cell->technology, "kvm");
      EXPECT_EQ(cell->impact, il);
    } else {
      EXPECT_EQ(cell->low, cell->published->low);
      EXPECT_EQ(cell->high, cell->published->high);
    }
  }
  EXPECT_EQ(deviations, 1);
}

TEST_F(TableTest, XenCountsAdvisories) {
  const auto result = table(2014);
  const auto* cell = result.find("xen-pv", Impact::denial_of_service);
  const auto entry = std::find_if(cell->entries.begin(), cell->entries.end(),
                                  [](const TableEntry& e) { return e.label == "XSA-114"; });
  ASSERT_NE(entry, cell->entries.end());
  EXPECT_EQ(entry->ids.size(), 2u);
}

TEST_F(TableTest, TechnologiesWithoutRecordsAreUnknownNotZero) {
  const auto result = table(2014);
  EXPECT_NE(std::find(result.without_data.begin(), result.without_data.end(), "firecracker"),
            result.without_data.end());
  const auto json = nlohmann::json::parse(table_json(result));
  for (const auto& cell : json["cells"]) {
    if (cell["technology"] == "firecracker") {
      EXPECT_TRUE(cell["low"].is_null());
    } else if (cell["technology"] == "kvm") {
      EXPECT_FALSE(cell["low"].is_null());
    }
  }
  EXPECT_NE(table_text(result).find("No records of: gvisor, firecracker (unknown, not none)"),
            std::string::npos);
}

TEST_F(TableTest, WarnsOfTheKernelsOwnCna) {
  const auto warned = [this](int from, int to) {
    auto opened = book();
    const auto result = make_table(*opened, {{from, to}, DateBasis::published});
    return std::count_if(result.warnings.begin(), result.warnings.end(), [](const std::string& w) {
      return w.find("order of magnitude") != std::string::npos;
    });
  };
  EXPECT_EQ(warned(2014, 2023), 0);
  EXPECT_EQ(warned(2014, 2024), 1);
  EXPECT_EQ(warned(2025, 2025), 1);
}

TEST_F(TableTest, UndatedRecordsAreInNoYearUnlessAskedFor) {
  ASSERT_TRUE(
      import(
          {write(
              "cna.jsonl",
              R"({"id":"CVE-2022-0001","title":"fs: use-after-free in aio","files":["fs/aio.c"],"cvss":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H","why":"PR:L - any unprivileged user"})"
              "\n")})
          .ok());
  auto opened = book();
  ASSERT_TRUE(opened.ok());
  const auto strict = make_table(*opened, {{2022, 2022}, DateBasis::published});
  EXPECT_EQ(strict.find("linux-app", Impact::privilege_escalation)->high, 0);
  EXPECT_EQ(strict.undated, 1u);
  const auto by_id = make_table(*opened, {{2022, 2022}, DateBasis::id_year});
  EXPECT_EQ(by_id.find("linux-app", Impact::privilege_escalation)->high, 1);
  EXPECT_TRUE(std::any_of(by_id.warnings.begin(), by_id.warnings.end(), [](const std::string& w) {
    return w.find("year of their id") != std::string::npos;
  }));
}

const char* const kvm_line =
    R"({"id":"CVE-2013-9001","pub":"2013-05-06","pkgs":["linux"],"desc":"The foo function in arch/x86/kvm/x86.c in the Linux kernel allows guest OS users to cause a denial of service (host OS crash) via a crafted application."})";

TEST_F(TableTest, RulesSayWhoAndWhy) {
  ASSERT_TRUE(import({write("uct.jsonl", std::string(kvm_line) + "\n")}).ok());
  auto opened = book();
  const auto* record = opened->find("CVE-2013-9001");
  ASSERT_NE(record, nullptr);
  const auto kvm = std::find_if(record->classifications.begin(), record->classifications.end(),
                                [](const Classification& c) { return c.technology == "kvm"; });
  ASSERT_NE(kvm, record->classifications.end());
  EXPECT_EQ(kvm->impact, Impact::denial_of_service);
  EXPECT_EQ(kvm->tier, Tier::core);
  EXPECT_EQ(kvm->made_by, "rule kvm-dos");
  EXPECT_NE(kvm->why.find("guest os user"), std::string::npos) << kvm->why;
  EXPECT_NE(kvm->why.find("arch/x86/kvm/x86.c"), std::string::npos) << kvm->why;
  // Reopening takes the stored classification; it must be the same.
  auto again = book();
  const auto* stored = again->find("CVE-2013-9001");
  ASSERT_EQ(stored->classifications.size(), record->classifications.size());
  EXPECT_EQ(stored->classifications[0].why, record->classifications[0].why);
}

TEST_F(TableTest, TheUsersFileOutranksEverything) {
  ASSERT_TRUE(import({write("uct.jsonl", std::string(kvm_line) + "\n")}).ok());
  const auto mine = write("mine.tsv",
                          "cell\timpact\ttier\tid\tnote\nkvm\tpe\tupper\tCVE-2013-9001\twe exploited "
                          "it\nnone\tnone\texcl\tCVE-2014-0049\tnot ours\n");
  const auto result = table(2013, false, mine);
  EXPECT_EQ(result.find("kvm", Impact::privilege_escalation)->high, 1);
  EXPECT_EQ(result.find("kvm", Impact::denial_of_service)->high, 0);
  EXPECT_EQ(result.find("kvm", Impact::privilege_escalation)->entries[0].made_by, "mine.tsv:2");
  EXPECT_EQ(table(2014, false, mine).find("kvm", Impact::privilege_escalation)->low, 2)
      << "also over the shipped classification";
}

TEST_F(TableTest, ClassificationFilesAreCheckedLineByLine) {
  const char* const head = "cell\timpact\ttier\tid\n";
  const std::pair<std::string, std::string> bad[] = {
      {"kvm\tpe\tmaybe\tCVE-2014-1", "line 2"},           {"kvm\tboom\tcore\tCVE-2014-0001", "impact"},
      {"none\tnone\tcore\tCVE-2014-0001", "excl"},        {"kvm\tpe\tcore\tx y", "record id"},
      {"kvm\tpe\tcore\tCVE-2014-1..CVE-2015-3", "range"}, {"kvm\tpe\tcore\tCVE-2014-0001\textra", "columns"}};
  for (const auto& [line, expected] : bad) {
    const auto parsed = ClassificationFile::parse(head + line + "\n", "x.tsv");
    ASSERT_FALSE(parsed.ok()) << line;
    EXPECT_NE(parsed.error().to_string().find(expected), std::string::npos) << parsed.error().to_string();
  }
  EXPECT_FALSE(ClassificationFile::parse("", "x.tsv").ok());
  EXPECT_FALSE(ClassificationFile::parse("cell\timpact\ttier\tid\tweather\n", "x.tsv").ok());
  EXPECT_FALSE(ClassificationFile::parse(std::string("# covers: published soon\n") + head, "x.tsv").ok());
}

TEST_F(TableTest, RulesFilesAreCheckedTheyAreNeverSilentlyIgnored) {
  const std::string technology = "[[technology]]\nid=\"kvm\"\ntitle=\"KVM\"\n";
  const std::pair<std::string, std::string> bad[] = {
      {"[[cell]]\nname=\"a\"\ntechnology=\"kvm\"\nimpact=\"pe\"\ntier=\"core\"\nwhy=\"x\"\nfacts=[\"nobody\"]"
       "\n",
       "no rule before"},
      {"[[cell]]\nname=\"a\"\ntechnology=\"xen\"\nimpact=\"pe\"\ntier=\"core\"\nwhy=\"x\"\n",
       "no technology"},
      {"[[fact]]\nname=\"a\"\ntxt=[\"b\"]\n", "unknown key"},
      {"[[fact]]\nname=\"a\"\ntext=\"b\"\n", "list of texts"},
      {"[[fact]\n", "line"}};
  for (const auto& [text, expected] : bad) {
    const auto parsed = Rules::parse(technology + text, "rules.toml");
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(parsed.error().to_string().find(expected), std::string::npos) << parsed.error().to_string();
  }
}

TEST_F(TableTest, CsvAndCellRenderings) {
  const auto result = table(2014);
  EXPECT_NE(table_csv(result).find("2014,2014,linux-container,pe,7,9,7,9,"), std::string::npos);
  const auto* cell = result.find("kvm", Impact::information_leak);
  EXPECT_NE(cell_text(result, *cell).find("CVE-2014-3615"), std::string::npos);
  EXPECT_NE(cell_csv(*cell).find("CVE-2014-3615"), std::string::npos);
}

TEST_F(TableTest, WilsonIntervals) {
  const Proportion p{8, 10};
  EXPECT_NEAR(p.low(), 0.4902, 5e-4);  // Wilson (1927), as tabulated for 8 of 10
  EXPECT_NEAR(p.high(), 0.9433, 5e-4);
  EXPECT_EQ((Proportion{0, 0}).low(), 0.0);
  EXPECT_EQ((Proportion{0, 0}).high(), 1.0);
}

// The figures of docs/ledger.md. The rules were first run on 2015 after its classification had been
// committed.
TEST_F(TableTest, TheRulesOnTheYearThatWasClassifiedBeforeThem) {
  HAP_NEEDS_PUBLIC_INPUT(input, "uct_isolation_all_years.jsonl.gz");
  ASSERT_TRUE(import({input}).ok());
  auto opened = book(true);
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  const auto hand = std::find_if(opened->files.begin(), opened->files.end(), [](const ClassificationFile& f) {
    return f.origin == "classification-2015.tsv";
  });
  ASSERT_NE(hand, opened->files.end());
  const auto accuracy = measure_accuracy(*opened, *hand);
  std::printf("%s", accuracy_text(accuracy, false).c_str());
  EXPECT_EQ(accuracy.missing, 0u);
  const auto& all = accuracy.cells.back();
  EXPECT_GE(all.recall().value(), 0.8);
  EXPECT_GE(all.precision().value(), 0.7);
}

}  // namespace
}  // namespace hap::ledger
