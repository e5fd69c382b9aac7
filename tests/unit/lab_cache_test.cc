#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "lab/cache.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void write(const std::string& path, const std::string& text) {
  ASSERT_TRUE(write_file_atomic(path, text));
}

class LabCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(made);
    folder_ = std::make_unique<TempDir>(std::move(*made));
    auto opened = LabCache::open_at(folder_->file("lab"));
    ASSERT_TRUE(opened);
    cache_ = std::make_unique<LabCache>(std::move(*opened));
  }

  // Builds `name` from a file with this text; counts how often that was necessary.
  Result<CacheEntry> build(const std::string& name, const std::string& text = "content", bool again = false) {
    return cache_->find_or_build(
        name, json{{"in", 1}}, 1,
        [&](const std::string& folder) -> Result<json> {
          ++builds_;
          if (auto put = write_file_atomic(folder + "/data", text); !put) return put.error();
          return json{{"out", 2}};
        },
        progress_, cancel_, again);
  }

  std::unique_ptr<TempDir> folder_;
  std::unique_ptr<LabCache> cache_;
  NoProgress progress_;
  CancelToken cancel_;
  std::atomic<int> builds_{0};
};

TEST_F(LabCacheTest, BuildsOnceThenFinds) {
  EXPECT_FALSE(*cache_->find("thing-1"));
  for (int i = 0; i < 2; ++i) {
    auto entry = build("thing-1");
    ASSERT_TRUE(entry) << entry.error().to_string();
    EXPECT_EQ(*read_file(entry->file("data")), "content");
    EXPECT_EQ(entry->manifest.facts["out"], 2);
  }
  EXPECT_EQ(builds_, 1);
  ASSERT_TRUE(build("thing-1", "newer", true));
  EXPECT_EQ(builds_, 2);
  EXPECT_EQ(*read_file((*cache_->find("thing-1"))->file("data")), "newer");
}

TEST_F(LabCacheTest, ADamagedEntryIsSeenAndReplaced) {
  const auto damage = [&](const std::string& what) {
    const std::string path = cache_->folder() + "/thing-1/";
    if (what == "content") write(path + "data", "CONTENT");
    if (what == "shorter") write(path + "data", "cont");
    if (what == "missing") fs::remove(path + "data");
    if (what == "manifest") write(path + kManifestName, "{");
    if (what == "no manifest") fs::remove(path + kManifestName);
    if (what == "escape") {
      write(path + kManifestName, R"({"schema":"hapmeter.lab/1","name":"x","inputs":{},"facts":{},)"
                                  R"("files":[{"path":"../../etc/passwd","bytes":1,"sha256":""}]})");
    }
  };
  int expected = 1;
  for (const char* what : {"content", "shorter", "missing", "manifest", "no manifest", "escape"}) {
    ASSERT_TRUE(build("thing-1"));
    damage(what);
    auto found = cache_->find("thing-1");
    ASSERT_FALSE(found) << what;
    EXPECT_EQ(found.error().kind(), ErrorKind::corrupt) << what;
    EXPECT_NE(found.error().hint(), "") << what;
    auto entry = build("thing-1");
    ASSERT_TRUE(entry) << what << ": " << entry.error().to_string();
    EXPECT_EQ(builds_, ++expected) << what;
  }
}

TEST_F(LabCacheTest, LargeFilesAreHashedOnlyWhenAsked) {
  const std::string large(kAlwaysHashedBytes + 1, 'a');
  ASSERT_TRUE(build("thing-1", large));
  std::fstream file(cache_->folder() + "/thing-1/data", std::ios::in | std::ios::out);
  file.seekp(1000);
  file.put('b');
  file.close();
  EXPECT_TRUE(cache_->find("thing-1"));
  EXPECT_FALSE(cache_->find("thing-1", true));
}

TEST_F(LabCacheTest, TwoBuildersBuildOnce) {
  std::thread other([&] { EXPECT_TRUE(build("thing-1")); });
  EXPECT_TRUE(build("thing-1"));
  other.join();
  EXPECT_EQ(builds_, 1);
}

TEST_F(LabCacheTest, AFailedBuildLeavesNothing) {
  auto entry = cache_->find_or_build(
      "thing-1", json(), 1,
      [](const std::string& folder) -> Result<json> {
        if (auto put = write_file_atomic(folder + "/half", "x"); !put) return put.error();
        return Error("no luck");
      },
      progress_, cancel_);
  EXPECT_FALSE(entry);
  EXPECT_FALSE(*cache_->find("thing-1"));
  EXPECT_TRUE(fs::is_empty(cache_->folder() + "/tmp"));
}

TEST_F(LabCacheTest, AKilledBuilderLeavesNothingForTheNext) {
  // The child dies in the middle of building, as with kill -9.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    (void)cache_->find_or_build(
        "thing-1", json(), 1, [](const std::string&) -> Result<json> { _exit(9); }, progress_, cancel_);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 9);
  EXPECT_FALSE(fs::is_empty(cache_->folder() + "/tmp"));
  ASSERT_TRUE(LabCache::open_at(cache_->folder()));
  EXPECT_TRUE(fs::is_empty(cache_->folder() + "/tmp"));
  EXPECT_TRUE(build("thing-1"));
}

TEST_F(LabCacheTest, WhatIsInUseStays) {
  {
    auto entry = build("thing-1");
    ASSERT_TRUE(entry);
    EXPECT_FALSE(cache_->remove("thing-1"));
    ASSERT_EQ(cache_->rows().size(), 1U);
    EXPECT_TRUE(cache_->rows()[0].in_use);
  }
  EXPECT_TRUE(cache_->remove("thing-1"));
  EXPECT_TRUE(cache_->rows().empty());
}

TEST_F(LabCacheTest, TrimKeepsTheNewest) {
  for (const char* name : {"thing-1", "thing-2", "thing-3"}) {
    ASSERT_TRUE(build(name));
    fs::last_write_time(cache_->folder() + "/" + name,
                        fs::file_time_type::clock::now() - std::chrono::seconds(10 - (name[6] - '0')));
  }
  ASSERT_TRUE(build("other-1"));
  cache_->trim("thing-", 1);
  auto rows = cache_->rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].name, "other-1");
  EXPECT_EQ(rows[1].name, "thing-3");
}

TEST_F(LabCacheTest, NamesFollowContent) {
  EXPECT_EQ(LabCache::entry_name("k", json{{"a", 1}}), LabCache::entry_name("k", json{{"a", 1}}));
  EXPECT_NE(LabCache::entry_name("k", json{{"a", 1}}), LabCache::entry_name("k", json{{"a", 2}}));
}

TEST_F(LabCacheTest, TooLittleSpaceIsSaidBeforeBuilding) {
  auto entry = cache_->find_or_build(
      "thing-1", json(), uint64_t{1} << 60, [&](const std::string&) -> Result<json> { return json(); },
      progress_, cancel_);
  ASSERT_FALSE(entry);
  EXPECT_NE(entry.error().message().find("disk space"), std::string::npos);
  EXPECT_NE(entry.error().hint(), "");
  EXPECT_TRUE(compare_disk_space("/x", 10, 10));
  EXPECT_FALSE(compare_disk_space("/x", 11, 10));
}

TEST(FormatBytes, IsReadable) {
  EXPECT_EQ(format_bytes(17), "17 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(uint64_t{3} << 30), "3.0 GiB");
}

}  // namespace
}  // namespace hap::lab
