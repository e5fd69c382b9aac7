// Every source format, and every way in which an input can be bad.
#include <archive.h>
#include <archive_entry.h>

#include <chrono>

#include "hap/exposure.h"
#include "ledger_fixture.h"

namespace hap::ledger {
namespace {

const char* const compact_line =
    R"({"id": "CVE-2024-0001", "title": "fs: fix it", "files": ["fs/aio.c"], "cvss": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "why": "PR:L - any user"})";
const char* const cve5_document =
    R"({"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2023-0002","state":"PUBLISHED","datePublished":"2023-05-06T00:00:00Z"},
  "containers":{"cna":{"title":"bpf: defer","descriptions":[{"lang":"en","value":"In the Linux kernel, ..."}],
   "metrics":[{"cvssV3_1":{"vectorString":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"},"scenarios":[{"lang":"en","value":"AV:L - local"}]}],
   "affected":[{"product":"Linux","vendor":"Linux","defaultStatus":"unaffected","programFiles":["kernel/bpf/syscall.c"],
      "versions":[{"version":"bba1dc0b55ac462d24ed1228ad49800c238cd6d7","lessThan":"90c445799fd1dc214d7c6279c144e33a35e29ef2","status":"affected","versionType":"git"}]},
     {"product":"Linux","defaultStatus":"affected","versions":[{"version":"5.9","status":"affected"},{"version":"0","lessThan":"5.9","status":"unaffected","versionType":"semver"},
      {"version":"6.1.75","lessThanOrEqual":"6.1.*","status":"unaffected","versionType":"semver"}]}]}}})";

class ImportTest : public LedgerTest {
 protected:
  struct Member {
    std::string name;
    std::string content;
    mode_t type = AE_IFREG;
  };
  std::string archive(const std::string& name, const std::vector<Member>& members, bool zip = false) const {
    struct archive* out = archive_write_new();
    if (zip) {
      archive_write_set_format_zip(out);
    } else {
      archive_write_set_format_pax_restricted(out);
      archive_write_add_filter_gzip(out);
    }
    EXPECT_EQ(archive_write_open_filename(out, path(name).c_str()), ARCHIVE_OK);
    for (const auto& member : members) {
      archive_entry* entry = archive_entry_new();
      archive_entry_set_pathname(entry, member.name.c_str());
      archive_entry_set_filetype(entry, member.type);
      archive_entry_set_perm(entry, 0644);
      if (member.type == AE_IFLNK) archive_entry_set_symlink(entry, member.content.c_str());
      archive_entry_set_size(entry,
                             member.type == AE_IFREG ? static_cast<la_int64_t>(member.content.size()) : 0);
      EXPECT_EQ(archive_write_header(out, entry), ARCHIVE_OK);
      if (member.type == AE_IFREG) archive_write_data(out, member.content.data(), member.content.size());
      archive_entry_free(entry);
    }
    archive_write_close(out);
    archive_write_free(out);
    return path(name);
  }
};

TEST_F(ImportTest, KernelCompactLines) {
  const auto report = import({write("cna.jsonl", std::string(compact_line) + "\n\n")});
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(report->added, 1u);
  EXPECT_TRUE(report->issues.empty());
  const auto all = records();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].files, std::vector<std::string>{"fs/aio.c"});
  EXPECT_EQ(all[0].published, std::nullopt) << "the id's year is not a date";
  EXPECT_EQ(all[0].sources[0].position, "line 1");
}

TEST_F(ImportTest, Cve5WithRangesAndFixes) {
  ASSERT_TRUE(import({write("CVE-2023-0002.json", cve5_document)}).ok());
  const auto all = records();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].published, "2023-05-06");
  EXPECT_EQ(all[0].fixes, std::vector<std::string>{"90c445799fd1dc214d7c6279c144e33a35e29ef2"});
  ASSERT_EQ(all[0].affected.size(), 1u) << "the git entry has no versions";
  EXPECT_TRUE(all[0].affected[0].default_affected);
  EXPECT_EQ(all[0].affected[0].versions.size(), 3u);
  EXPECT_EQ(all[0].rationale, "AV:L - local\n");
}

TEST_F(ImportTest, TheKernelCnaSpellsTheIdItsOwnWay) {
  std::string document = cve5_document;
  document.replace(document.find("cveId"), 5, "cveID");
  ASSERT_TRUE(import({write("a.json", document)}).ok());
  EXPECT_EQ(records().at(0).id, "CVE-2023-0002");
}

TEST_F(ImportTest, NvdPage) {
  const auto report = import({write(
      "nvd.json", R"({"vulnerabilities":[{"cve":{"id":"CVE-2015-1421","published":"2015-03-16T10:59:00.000",
    "descriptions":[{"lang":"en","value":"Use-after-free vulnerability in the sctp_assoc_update function in net/sctp/associola.c in the Linux kernel."}],
    "metrics":{"cvssMetricV31":[{"cvssData":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]},
    "configurations":[{"nodes":[{"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:o:linux:linux_kernel:*:*:*:*:*:*:*:*","versionEndExcluding":"3.18.8"}]}]}]}},
    {"cve":{"id":"CVE-2015-9999","published":"2015-99-99"}}]})")});
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->issues.size(), 1u);
  EXPECT_EQ(report->issues[0].position, "/vulnerabilities/1");
  const auto all = records();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].files, std::vector<std::string>{"net/sctp/associola.c"});
  ASSERT_EQ(all[0].functions.size(), 1u);
  EXPECT_EQ(all[0].functions[0].function, "sctp_assoc_update");
  EXPECT_EQ(openness_of(all[0], "3.18.7"), Openness::open);
  EXPECT_EQ(openness_of(all[0], "3.18.8"), Openness::fixed_before);
}

TEST_F(ImportTest, XsaJoinsTheTrackersRecord) {
  ASSERT_TRUE(
      import(
          {write(
               "xsa.json",
               R"([{"xsas":[{"xsa":148,"title":"x86: Uncontrolled creation of large page mappings","public_time":"2015-10-29T12:00:00Z","cve":["CVE-2015-7835"]},
    {"xsa":"161","title":"WITHDRAWN"}]}])"),
           write(
               "uct.jsonl",
               R"({"id":"CVE-2015-7835","pub":"2015-10-30 15:59:00 UTC","pkgs":["xen"],"prio":"medium","cvss":null,"xsa":["148"],"fix":[],"desc":"The mod_l2_entry function in arch/x86/mm.c in Xen."})"
               "\n")})
          .ok());
  const auto all = records();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, "CVE-2015-7835");
  EXPECT_EQ(all[0].sources.size(), 2u);
  EXPECT_EQ(all[0].advised, "2015-10-29");
  EXPECT_EQ(all[0].advisories, std::vector<std::string>{"XSA-148"});
  EXPECT_EQ(all[1].id, "XSA-161");
}

TEST_F(ImportTest, OsvUnderItsCveAlias) {
  ASSERT_TRUE(
      import(
          {write(
              "osv.json",
              R"({"id":"GHSA-xr7r-f8xq-vfvv","modified":"2024-02-01T00:00:00Z","published":"2024-01-31T22:00:00Z","aliases":["CVE-2024-21626"],
    "summary":"runc container breakout","details":"escape","affected":[{"package":{"ecosystem":"Go","name":"github.com/opencontainers/runc"},
    "ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0-rc93"},{"fixed":"1.1.12"}]}]}]})")})
          .ok());
  const auto all = records();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, "CVE-2024-21626");
  EXPECT_EQ(all[0].products, std::vector<std::string>{"runc"});
  EXPECT_EQ(all[0].affected.at(0).versions.at(0).below, "1.1.12");
}

TEST_F(ImportTest, RequirementsOfExploits) {
  ASSERT_TRUE(
      import(
          {write("cna.jsonl", std::string(compact_line) + "\n"),
           write("req.json",
                 R"({"a":{"cve":"CVE-2024-0001","caps":["CAP_NET_ADMIN","CAP_SYS_ADMIN"],"attack_surface":[]},
                                            "b":{"cve":"CVE-2024-0001","caps":["CAP_NET_ADMIN"],"attack_surface":["userns"]}})")})
          .ok());
  const auto all = records();
  ASSERT_EQ(all.size(), 1u);
  ASSERT_EQ(all[0].requirements.size(), 1u) << "what every exploit of it needed";
  EXPECT_EQ(all[0].requirements[0].name, "CAP_NET_ADMIN");
}

TEST_F(ImportTest, FoldersAndArchivesOfBothKinds) {
  write("tree/2023/CVE-2023-0002.json", cve5_document);
  write("tree/2023/CVE-2023-0002.mbox", "From: somebody");
  write("tree/.git/config.json", "{}");
  auto report = import({path("tree")});
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(report->added, 1u);
  EXPECT_EQ(report->ignored_files, 1u);
  for (const bool zip : {false, true}) {
    report = import({archive(
        zip ? "a.zip" : "a.tar.gz",
        {{"x/CVE-2023-0002.json", cve5_document}, {"x/lines.jsonl", compact_line}, {"x/README", "no"}},
        zip)});
    ASSERT_TRUE(report.ok()) << report.error().to_string();
    EXPECT_EQ(report->records, 2u);
    EXPECT_EQ(report->unchanged, zip ? 2u : 1u);
  }
}

TEST_F(ImportTest, IsIncremental) {
  const auto input = write("cna.jsonl", std::string(compact_line) + "\n");
  ASSERT_TRUE(import({input}).ok());
  auto report = import({input});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->unchanged_inputs, 1u) << "the same bytes are not read twice";
  std::string changed = compact_line;
  changed.replace(changed.find("fix it"), 6, "fix all");
  write("cna.jsonl", changed + "\n" +
                         R"({"id": "CVE-2024-0003", "title": "t", "files": [], "cvss": null, "why": null})" +
                         "\n");
  report = import({input});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->updated, 1u);
  EXPECT_EQ(report->added, 1u);
  EXPECT_EQ(records().at(0).title, "fs: fix all");
}

TEST_F(ImportTest, MalformedRecordsAreSkippedWholeWithTheirPosition) {
  const std::string good = compact_line;
  const auto report = import(
      {write("cna.jsonl", "{\"id\": \"CVE-2024-1\", \"title\": 7, \"files\": [], \"x\": 1}\n" + good +
                              "\n{\"id\": \"CVE-2024-2\", \"ti\n" +
                              "{\"id\": \"../../etc\", \"title\": \"t\", \"files\": []}\n" +
                              "{\"files\": [3], \"id\": \"CVE-2024-3333\", \"title\": \"t\"}\n" +
                              "[1,2]\n{\"id\":\"CVE-2024-4444\",\"title\":\"\xff\xfe\",\"files\":[]}\n")});
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(report->added, 1u);
  ASSERT_EQ(report->issues.size(), 6u);
  EXPECT_EQ(report->issues[0].position, "line 1");
  EXPECT_NE(report->issues[0].message.find("\"title\" is not a string"), std::string::npos);
  EXPECT_EQ(report->issues[1].position.substr(0, 6), "line 3");
  EXPECT_NE(report->issues[1].position.find("byte"), std::string::npos);
  EXPECT_EQ(records().size(), 1u);
}

TEST_F(ImportTest, AbsurdDatesSkipTheRecord) {
  const auto line = [](const std::string& id, const std::string& date) {
    return R"({"id":")" + id + R"(","pub":")" + date + R"(","pkgs":["linux"],"desc":"x"})" + "\n";
  };
  const auto report = import(
      {write("uct.jsonl", line("CVE-2014-0001", "0000-00-00") + line("CVE-2014-0002", "2014-02-30") +
                              line("CVE-2014-0003", "31337-01-01") + line("CVE-2014-0004", "2014-02-03"))});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->issues.size(), 3u);
  EXPECT_EQ(report->added, 1u);
}

TEST_F(ImportTest, DuplicateIds) {
  std::string other = compact_line;
  other.replace(other.find("fix it"), 6, "differs");
  const auto report =
      import({write("cna.jsonl", std::string(compact_line) + "\n" + compact_line + "\n" + other + "\n")});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->duplicates, 1u);
  ASSERT_EQ(report->issues.size(), 1u);
  EXPECT_EQ(report->issues[0].position, "line 3");
  EXPECT_EQ(records().at(0).title, "fs: fix it") << "the first statement stands";
}

TEST_F(ImportTest, OtherEncodingsAreNamed) {
  std::string utf16 = "\xff\xfe";
  for (const char c : std::string(compact_line)) utf16 += std::string(1, c) + '\0';
  const auto report = import({write("cna.json", utf16)});
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().hint().find("UTF-16"), std::string::npos) << report.error().hint();
  EXPECT_TRUE(import({write("bom.json", "\xef\xbb\xbf" + std::string(compact_line))}).ok())
      << "a UTF-8 mark is harmless";
}

TEST_F(ImportTest, ALineOf100MegabytesIsPassedOverInLittleMemory) {
  {
    std::ofstream out(path("long.jsonl"), std::ios::binary);
    out << compact_line << "\n{\"id\":\"CVE-2024-9999\",\"title\":\"";
    const std::string piece(1 << 20, 'a');
    for (int i = 0; i < 100; ++i) out << piece;
    out << "\",\"files\":[]}\n"
        << R"({"id": "CVE-2024-0003", "title": "t", "files": []})"
        << "\n";
  }
  const auto report = import({path("long.jsonl")});
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(report->added, 2u);
  ASSERT_EQ(report->issues.size(), 1u);
  EXPECT_NE(report->issues[0].message.find("the limit is"), std::string::npos);
  EXPECT_EQ(report->issues[0].position.substr(0, 6), "line 2");
}

TEST_F(ImportTest, ATruncatedArchiveLeavesTheDatabaseAsItWas) {
  ASSERT_TRUE(import({write("cna.jsonl", std::string(compact_line) + "\n")}).ok());
  std::vector<Member> members;
  for (int i = 0; i < 200; ++i) {
    std::string document = cve5_document;
    document.replace(document.find("CVE-2023-0002"), 13, "CVE-2023-" + std::to_string(1000 + i));
    document += std::string(static_cast<size_t>(i), ' ');
    members.push_back({"CVE-2023-" + std::to_string(1000 + i) + ".json", document});
  }
  const auto whole = archive("whole.tar.gz", members);
  std::ifstream in(whole, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (const double part : {0.1, 0.5, 0.9, 0.99}) {
    const auto cut =
        write("cut.tar.gz", bytes.substr(0, static_cast<size_t>(static_cast<double>(bytes.size()) * part)));
    const auto report = import({cut});
    ASSERT_FALSE(report.ok()) << part;
    EXPECT_EQ(report.error().kind(), ErrorKind::corrupt);
    EXPECT_EQ(records().size(), 1u) << part;
  }
  ASSERT_TRUE(import({whole}).ok());
  EXPECT_EQ(records().size(), 201u);
}

TEST_F(ImportTest, ATruncatedCompressedFileToo) {
  const auto lines = [] {
    std::string text;
    for (int i = 0; i < 5000; ++i)
      text += R"({"id": "CVE-2024-)" + std::to_string(10000 + i * 7919 % 90000) + R"(", "title": "t)" +
              std::to_string(i * i) + R"(", "files": ["a"]})" + "\n";
    return text;
  }();
  struct archive* out = archive_write_new();
  archive_write_set_format_raw(out);
  archive_write_add_filter_gzip(out);
  ASSERT_EQ(archive_write_open_filename(out, path("l.jsonl.gz").c_str()), ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_pathname(entry, "data");
  ASSERT_EQ(archive_write_header(out, entry), ARCHIVE_OK);
  archive_write_data(out, lines.data(), lines.size());
  archive_entry_free(entry);
  archive_write_close(out);
  archive_write_free(out);
  const auto size = std::filesystem::file_size(path("l.jsonl.gz"));
  std::filesystem::copy_file(path("l.jsonl.gz"), path("cut.jsonl.gz"));
  std::filesystem::resize_file(path("cut.jsonl.gz"), size / 2);
  EXPECT_FALSE(import({path("cut.jsonl.gz")}).ok());
  EXPECT_TRUE(records().empty());
  EXPECT_TRUE(import({path("l.jsonl.gz")}).ok());
}

TEST_F(ImportTest, LinksAndTraversingMembersAreRefused) {
  const auto input = archive("evil.tar.gz", {{"../../outside.json", cve5_document},
                                             {"/etc/outside.json", cve5_document},
                                             {"a/../../b.json", cve5_document},
                                             {"link.json", "/etc/passwd", AE_IFLNK},
                                             {"good.jsonl", compact_line}});
  const auto report = import({input});
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(report->added, 1u);
  EXPECT_EQ(report->issues.size(), 4u);
  EXPECT_EQ(records().at(0).id, "CVE-2024-0001");
  // A link in a folder is not followed either.
  write("outside/CVE-2023-0002.json", cve5_document);
  write("tree/good.jsonl", compact_line);
  std::filesystem::create_symlink(path("outside/CVE-2023-0002.json"), path("tree/link.json"));
  std::filesystem::create_directory_symlink(path("outside"), path("tree/sub"));
  const auto folder = import({path("tree")});
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(folder->issues.size(), 1u);
  EXPECT_EQ(records().size(), 1u);
}

TEST_F(ImportTest, ArchiveBombsEndAtTheLimit) {
  const auto input = archive("bomb.tar.gz", {{"a.jsonl", std::string(8 << 20, ' ')}});
  ImportOptions options;
  options.limits.total_bytes = 1 << 20;
  const auto report = import({input}, options);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message().find("limit"), std::string::npos);
}

TEST_F(ImportTest, DeeplyNestedJsonIsAnError) {
  EXPECT_FALSE(import({write("deep.json", std::string(2'000'000, '['))}).ok());
  EXPECT_FALSE(import({write("deep2.json", std::string(1'000'000, '[') + std::string(1'000'000, ']'))}).ok());
}

TEST_F(ImportTest, InputsThatAreNotThereOrHoldNothing) {
  EXPECT_FALSE(import({path("nothing")}).ok());
  EXPECT_FALSE(import({write("empty.json", "")}).ok());
  EXPECT_FALSE(import({write("noise.bin", std::string(1000, '\x81'))}).ok());
  EXPECT_FALSE(import({write("other.json", "{\"hello\": 1}")}).ok());
  std::filesystem::create_directory(path("void"));
  EXPECT_FALSE(import({path("void")}).ok());
  EXPECT_FALSE(import({"/dev/null"}).ok());
}

TEST_F(ImportTest, StoppingKeepsNothingOfTheInput) {
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    lines += R"({"id": "CVE-2024-)" + std::to_string(10000 + i) + R"(", "title": "t", "files": []})" + "\n";
  ImportOptions options;
  int asked = 0;
  options.stop = [&asked] { return ++asked > 3; };
  const auto report = import({write("cna.jsonl", lines)}, options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind(), ErrorKind::interrupted);
  EXPECT_TRUE(records().empty());
}

TEST_F(ImportTest, ForeignAndDamagedDatabasesAreRefused) {
  write("ledger.sqlite", std::string(4096, 'x'));
  const auto damaged = import({write("cna.jsonl", compact_line)});
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().kind(), ErrorKind::corrupt);
  std::filesystem::remove(database());
  {
    auto foreign = Database::open(database(), true);
    ASSERT_TRUE(foreign.ok());
    ASSERT_TRUE(foreign->execute("CREATE TABLE t(a)").ok());
  }
  const auto refused = import({path("cna.jsonl")});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("not a ledger"), std::string::npos);
}

TEST_F(ImportTest, TheKernelCnaWholeInThreeSeconds) {
  HAP_NEEDS_PUBLIC_INPUT(input, "kernel_cna_compact.jsonl.gz");
  const auto start = std::chrono::steady_clock::now();
  const auto report = import({input});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(report->added, 14626u);
  EXPECT_TRUE(report->issues.empty());
  std::printf("imported 14,626 records in %.2f s\n", seconds);
}

TEST_F(ImportTest, TheTrackerWhole) {
  HAP_NEEDS_PUBLIC_INPUT(input, "uct_isolation_all_years.jsonl.gz");
  const auto report = import({input});
  ASSERT_TRUE(report.ok()) << report.error().to_string();
  EXPECT_EQ(report->added, 5020u);
  EXPECT_TRUE(report->issues.empty()) << report->issues[0].position << report->issues[0].message;
}

}  // namespace
}  // namespace hap::ledger
