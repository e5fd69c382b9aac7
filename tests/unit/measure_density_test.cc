#include "hap/density.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace hap {
namespace {

using ::testing::HasSubstr;

const std::vector<CodePiece> kCode{{"tcp_sendmsg", "net/ipv4/tcp.c", 100},
                                   {"handle_mm_fault", "mm/memory.c", 300},
                                   {"virtnet_poll", "drivers/net/virtio_net.c", 600}};

TEST(DensityModel, UniformIsLinesTimesTheConstant) {
  const auto bugs = expected_bugs(kCode, DensityModel::uniform(0.5));
  ASSERT_TRUE(bugs.has_value());
  EXPECT_NEAR(bugs->value, 0.5, 1e-12);
  EXPECT_EQ(bugs->lines, 1000);
  EXPECT_NEAR(bugs->groups.at("mm"), 0.15, 1e-12);
  EXPECT_NEAR(bugs->groups.at("drivers/net"), 0.3, 1e-12);
}

TEST(DensityModel, TheLongestPathOfATableCounts) {
  const auto model = DensityModel::table("t", "", {{"net", 1}, {"net/ipv4", 2}, {"net/ipv4/tcp.c", 3}}, 0.5);
  EXPECT_EQ(model.per_kloc({"f", "net/ipv4/tcp.c", 1}), 3);
  EXPECT_EQ(model.per_kloc({"f", "net/ipv4/udp.c", 1}), 2);
  EXPECT_EQ(model.per_kloc({"f", "net/core/dev.c", 1}), 1);
  EXPECT_EQ(model.per_kloc({"f", "network/x.c", 1}), 0.5);  // "net" is no prefix of a folder's name
  EXPECT_EQ(model.per_kloc({"f", "", 1}), 0.5);
}

TEST(DensityModel, KnowingTooLittleIsUnknownNotZero) {
  const auto little = DensityModel::table("t", "", {{"net", 1}}, std::nullopt);
  EXPECT_FALSE(expected_bugs(kCode, little).has_value());  // 100 of 1,000 lines
  const auto most = DensityModel::table("t", "", {{"drivers", 1}}, std::nullopt);
  const auto bugs = expected_bugs(kCode, most);
  ASSERT_TRUE(bugs.has_value());
  EXPECT_NEAR(bugs->value, 0.6, 1e-12);
  EXPECT_EQ(bugs->lines_unknown, 400);
}

TEST(DensityModel, PopularCodeCountsLess) {
  const auto model = DensityModel::popularity({function_key("tcp_sendmsg", "net/ipv4/tcp.c")}, 0.25, 1);
  EXPECT_EQ(model.per_kloc(kCode[0]), 0.25);
  EXPECT_EQ(model.per_kloc(kCode[1]), 1);
  EXPECT_EQ(model.group(kCode[0]), "net/ipv4 (popular)");
}

double density_of(const std::vector<DensityRow>& rows, const std::string& path) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const DensityRow& r) { return r.path == path; });
  return row == rows.end() ? -1 : row->per_kloc;
}

TEST(DensitiesFromRecords, SmallPartsAreDrawnToTheOverallRate) {
  const auto rows = densities_from_records({{"big/low", {100, 200000}},
                                            {"big/high", {900, 200000}},
                                            {"small/none", {0, 300}},
                                            {"small/one", {1, 300}},
                                            {"no/lines", {5, 0}}});
  EXPECT_EQ(rows.size(), 4U);
  EXPECT_NEAR(density_of(rows, "big/low"), 0.5, 0.05);
  EXPECT_NEAR(density_of(rows, "big/high"), 4.5, 0.05);
  EXPECT_GT(density_of(rows, "small/none"), 0.5);  // not free of bugs
  EXPECT_LT(density_of(rows, "small/one"), 3.4);   // its own rate is 3.3
  EXPECT_GT(density_of(rows, "small/one"), density_of(rows, "small/none"));
}

TEST(DensitiesFromRecords, EqualRatesStayEqualAndNothingGivesNothing) {
  const auto rows = densities_from_records({{"a", {10, 10000}}, {"b", {20, 20000}}});
  EXPECT_NEAR(density_of(rows, "a"), 1, 1e-9);
  EXPECT_NEAR(density_of(rows, "b"), 1, 1e-9);
  EXPECT_TRUE(densities_from_records({}).empty());
}

TEST(DensityTable, ReadsToml) {
  const auto model = parse_density_table(
      "name = \"mine\"\nsource = \"us\"\notherwise = 0.2\n[density]\n"
      "\"net/ipv4\" = 0.8\nmm = 1\n",
      "t.toml");
  ASSERT_TRUE(model.ok()) << model.error().to_string();
  EXPECT_EQ(model->name(), "mine");
  EXPECT_EQ(model->source(), "us");
  EXPECT_EQ(model->per_kloc(kCode[0]), 0.8);
  EXPECT_EQ(model->per_kloc(kCode[1]), 1);
  EXPECT_EQ(model->per_kloc(kCode[2]), 0.2);
}

TEST(DensityTable, ReadsCsvWithHeadingCommentsAndRest) {
  const auto model = parse_density_table("path,density\n# ours\nnet/ipv4, 0.8\r\n\n*,0.1\n", "t.csv");
  ASSERT_TRUE(model.ok()) << model.error().to_string();
  EXPECT_EQ(model->per_kloc(kCode[0]), 0.8);
  EXPECT_EQ(model->per_kloc(kCode[2]), 0.1);
}

TEST(DensityTable, SaysWhatIsWrong) {
  const struct {
    const char* text;
    const char* path;
    const char* says;
  } cases[]{
      {"", "t.csv", "it has no densities"},
      {"", "t.toml", "it has no densities"},
      {"net 0.5\n", "t.csv", "line 1: no comma"},
      {"net,0.5\nmm,many\n", "t.csv", "line 2: \"many\" is not a number"},
      {"net,-1\n", "t.csv", "line 1: \"-1\" is not a number from 0 to 1000"},
      {"net,0.5\nmm,nan\n", "t.csv", "line 2: \"nan\""},
      {"net,0.5\nmm,1e999\n", "t.csv", "line 2: \"1e999\""},
      {"a = \n", "t.toml", "line 1"},
      {"densities = 3\n", "t.toml", "unknown key \"densities\""},
      {"[density]\nmm = \"x\"\n", "t.toml", "the density of \"mm\""},
      {"density = 3\n", "t.toml", "\"density\" is not a table"},
  };
  for (const auto& c : cases) {
    const auto model = parse_density_table(c.text, c.path);
    ASSERT_FALSE(model.ok()) << c.text;
    EXPECT_THAT(model.error().to_string(), HasSubstr(c.says)) << c.text;
    EXPECT_EQ(model.error().kind(), ErrorKind::usage);
  }
}

TEST(DensityTable, TheExampleIsValid) {
  const auto model = load_density_table(HAP_SOURCE_DIR "/data/density/example.toml");
  ASSERT_TRUE(model.ok()) << model.error().to_string();
  EXPECT_EQ(model->per_kloc(kCode[2]), 0.99);
  EXPECT_EQ(model->per_kloc(kCode[1]), 0.33);
}

}  // namespace
}  // namespace hap
