// Files, digests and temporary folders.
#include "base/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "base/mapped_file.h"
#include "base/temp_dir.h"

namespace hap {
namespace {
namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(dir.ok());
    dir_ = std::make_unique<TempDir>(std::move(*dir));
  }
  std::unique_ptr<TempDir> dir_;
};

TEST_F(FileTest, AtomicWriteReplacesAndLeavesNothingElse) {
  const auto path = dir_->file("note");
  ASSERT_TRUE(write_file_atomic(path, "one").ok());
  ASSERT_TRUE(write_file_atomic(path, "two").ok());
  EXPECT_EQ(*read_file(path), "two");
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(dir_->path())) ++entries;
  EXPECT_EQ(entries, 2U) << "the file and the owner's lock";
}

TEST_F(FileTest, ErrorsNameThePathAndTheReason) {
  const auto content = read_file(dir_->file("missing"));
  ASSERT_FALSE(content.ok());
  EXPECT_EQ(content.error().err(), ENOENT);
  EXPECT_NE(content.error().to_string().find("missing"), std::string::npos);
}

TEST_F(FileTest, ALimitStopsAnEndlessFile) {
  EXPECT_FALSE(read_file("/dev/zero", 1 << 20).ok());
}

TEST_F(FileTest, DigestOfAFileEqualsDigestOfItsBytes) {
  const auto path = dir_->file("abc");
  ASSERT_TRUE(write_file_atomic(path, "abc").ok());
  EXPECT_EQ(*sha256_file(path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abc"), *sha256_file(path));
}

TEST_F(FileTest, AMappingSeesTheWholeFileAndAFolderIsRefused) {
  const auto path = dir_->file("map");
  ASSERT_TRUE(write_file_atomic(path, "0123").ok());
  const auto map = MappedFile::open(path);
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->size(), 4U);
  EXPECT_FALSE(MappedFile::open(dir_->path()).ok());
  ASSERT_TRUE(write_file_atomic(path, "").ok());
  EXPECT_EQ(MappedFile::open(path)->size(), 0U);
}

TEST_F(FileTest, ATempDirGoesWithItsOwner) {
  std::string path;
  {
    auto inner = TempDir::create(dir_->path());
    ASSERT_TRUE(inner.ok());
    path = inner->path();
    std::ofstream(inner->file("content")) << "x";
    EXPECT_EQ(reap_abandoned(dir_->path()), 0) << "it is in use";
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(FileTest, TheNextStartReapsWhatAKilledOwnerLeft) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto inner = TempDir::create(dir_->path());
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(reap_abandoned(dir_->path()), 1);
}

}  // namespace
}  // namespace hap
