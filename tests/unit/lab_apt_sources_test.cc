#include <gtest/gtest.h>

#include "lab/apt_sources.h"
#include "lab/package_source.h"

namespace hap::lab {
namespace {

TEST(AptSources, ReadsTheClassicFormat) {
  auto sources = parse_one_line_sources(
      "# a comment\n"
      "deb http://mirror.example/debian bookworm main contrib # the base\n"
      "deb-src http://mirror.example/debian bookworm main\n"
      "deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian-security "
      "bookworm-security main\n"
      "  deb\thttp://mirror.example/flat ./\n"
      "deb [broken http://mirror.example/debian bookworm main\n");
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].uri, "http://mirror.example/debian");
  EXPECT_EQ(sources[0].suite, "bookworm");
  EXPECT_EQ(sources[0].components, (std::vector<std::string>{"main", "contrib"}));
  EXPECT_EQ(sources[0].signed_by, "");
  EXPECT_EQ(sources[1].signed_by, "/usr/share/keyrings/x.gpg");
}

TEST(AptSources, ReadsDeb822) {
  auto sources = parse_deb822_sources(
      "Types: deb deb-src\n"
      "# in between\n"
      "URIs: http://mirror.example/debian\n"
      "Suites: trixie trixie-updates\n"
      "Components: main\n"
      " contrib\n"
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
      "\n"
      "Types: deb\n"
      "URIs: http://mirror.example/other\n"
      "Suites: trixie\n"
      "Components: main\n"
      "Enabled: no\n"
      "\n"
      "types: deb\n"
      "uris: http://third.example/\n"
      "suites: trixie\n"
      "components: main\n"
      "signed-by:\n"
      " -----BEGIN PGP PUBLIC KEY BLOCK-----\n"
      " .\n");
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0].suite, "trixie");
  EXPECT_EQ(sources[1].suite, "trixie-updates");
  EXPECT_EQ(sources[0].components, (std::vector<std::string>{"main", "contrib"}));
  EXPECT_EQ(sources[2].uri, "http://third.example/");
  EXPECT_EQ(sources[2].signed_by, "") << "a key in the stanza is no file";
}

TEST(AptSources, MapsTheHostsArchivesToAnotherSuite) {
  std::vector<AptSource> configured = {
      {"http://a/debian", "bookworm", {"main", "contrib"}, ""},
      {"http://a/debian", "bookworm-updates", {"main"}, "/k.gpg"},
      {"http://a/debian-security", "bookworm-security", {"main"}, "/k.gpg"},
      {"http://a/debian", "bookworm-backports", {"main"}, ""},
      {"http://third/repository", "nodistro", {"main"}, "/n.gpg"},
      {"http://a/debian", "bookworm", {"main"}, ""},
      {"http://a/debian", "bookworm", {"contrib"}, ""},
  };
  auto sources = sources_for_suite(configured, "bookworm", "trixie", "/keyring.gpg");
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0].line(), "deb [arch=amd64 signed-by=/keyring.gpg] http://a/debian trixie main");
  EXPECT_EQ(sources[1].line(), "deb [arch=amd64 signed-by=/k.gpg] http://a/debian trixie-updates main");
  EXPECT_EQ(sources[2].line(),
            "deb [arch=amd64 signed-by=/k.gpg] http://a/debian-security trixie-security main");
  EXPECT_EQ(sources_for_suite(configured, "bookworm", "sid", "/k").size(), 1U) << "sid has one archive only";
  EXPECT_TRUE(sources_for_suite(configured, "noble", "trixie", "/k").empty());
}

TEST(PackageSource, ReadsARecord) {
  auto record = parse_package_record(
      "Package: linux-image-cloud-amd64\n"
      "Version: 6.12.1-1\n"
      "Installed-Size: 10\n"
      "Depends: linux-image-6.12.1+deb13-cloud-amd64 (= 6.12.1-1), other:any | third\n"
      "Description: text\n"
      " Version: not this\n"
      "Size: 1496\n"
      "\n"
      "Package: another\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->name, "linux-image-cloud-amd64");
  EXPECT_EQ(record->version, "6.12.1-1");
  EXPECT_EQ(record->depends, (std::vector<std::string>{"linux-image-6.12.1+deb13-cloud-amd64", "other"}));
  EXPECT_EQ(record->download_bytes, 1496U);
  EXPECT_EQ(record->installed_bytes, 10240U);
  EXPECT_FALSE(parse_package_record(""));
  EXPECT_FALSE(parse_package_record("Package: x\n"));
}

TEST(PackageSource, HandsOnHowArchivesAreReached) {
  auto options = acquire_options(
      "APT::Architecture \"amd64\";\n"
      "Acquire::http::Proxy \"http://proxy.example:3128\";\n"
      "Acquire::http \"\";\n"
      "Acquire::Check-Date \"false\";\n"
      "Acquire::IndexTargets::deb::X \"y\";\n");
  EXPECT_EQ(options, (std::vector<std::string>{"Acquire::http::Proxy \"http://proxy.example:3128\"",
                                               "Acquire::Check-Date \"false\""}));
}

}  // namespace
}  // namespace hap::lab
