// What follows the database of a recording: it comes back whole, belongs to this recording alone, and leaves
// the recording as it was.
#include "recording/attachment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "base/file.h"
#include "base/temp_dir.h"
#include "hap/recording.h"
#include "recording/seal.h"

namespace hap {
namespace {
using recording::attach;
using recording::read_attachment;
using ::testing::HasSubstr;

class Attachment : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(dir.ok());
    dir_ = std::make_unique<TempDir>(std::move(*dir));
    path_ = dir_->file("cell.hap");
    write(path_, "bare");
  }

  void write(const std::string& path, const std::string& sandbox) {
    auto out = RecordingWriter::create(path);
    ASSERT_TRUE(out.ok());
    ASSERT_TRUE(out->set_meta("sandbox", sandbox).ok());
    ASSERT_TRUE(out->finish().ok());
  }

  void expect_refused(const std::string& why) {
    const auto read = read_attachment(path_);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind(), ErrorKind::corrupt);
    EXPECT_THAT(read.error().to_string(), HasSubstr(why));
    EXPECT_FALSE(Recording::open(path_).ok());
  }

  std::unique_ptr<TempDir> dir_;
  std::string path_;
};

TEST_F(Attachment, ComesBackAndIsReplacedByTheNext) {
  const std::string before = *read_file(path_);
  ASSERT_TRUE(read_attachment(path_).ok());
  EXPECT_FALSE(read_attachment(path_)->has_value());
  for (const std::string& content : {std::string("first"), std::string(), std::string(3 << 20, 'x')}) {
    ASSERT_TRUE(attach(path_, content).ok());
    const auto read = read_attachment(path_);
    ASSERT_TRUE(read.ok()) << read.error().to_string();
    EXPECT_EQ(*read, content);
    EXPECT_EQ(read_file(path_)->substr(0, before.size()), before);
  }
}

TEST_F(Attachment, LeavesTheRecordingAsItWas) {
  ASSERT_TRUE(attach(path_, "content").ok());
  const auto recording = Recording::open(path_);
  ASSERT_TRUE(recording.ok()) << recording.error().to_string();
  EXPECT_EQ(recording->meta("sandbox"), "bare");

  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open_v2(path_.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_stmt* check = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, nullptr), SQLITE_OK);
  ASSERT_EQ(sqlite3_step(check), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(check, 0)), "ok");
  sqlite3_finalize(check);
  sqlite3_close(db);
}

TEST_F(Attachment, CutAtAnyByteIsRefusedUnlessItIsCutOffWhole) {
  const size_t database = read_file(path_)->size();
  ASSERT_TRUE(attach(path_, "content").ok());
  const std::string whole = *read_file(path_);
  for (size_t size = database + 1; size < whole.size(); ++size) {
    ASSERT_TRUE(write_file_atomic(path_, whole.substr(0, size)).ok());
    expect_refused("too many");
  }
  ASSERT_TRUE(write_file_atomic(path_, whole.substr(0, database - 1)).ok());
  expect_refused("cut short");
  ASSERT_TRUE(write_file_atomic(path_, whole.substr(0, database)).ok());
  EXPECT_TRUE(Recording::open(path_).ok());
  EXPECT_FALSE(read_attachment(path_)->has_value());
}

TEST_F(Attachment, AnyChangedByteOfItOrOfTheFirstPageIsNoticed) {
  const size_t database = read_file(path_)->size();
  ASSERT_TRUE(attach(path_, "content").ok());
  const std::string whole = *read_file(path_);
  std::string near = whole.substr(0, recording::page_size) + whole.substr(database);
  const auto content = [&] {
    return recording::attached_content(std::string_view(near).substr(0, recording::page_size),
                                       std::string_view(near).substr(recording::page_size));
  };
  ASSERT_EQ(content(), "content");
  for (char& byte : near) {
    byte = static_cast<char>(byte ^ 0x10);
    ASSERT_FALSE(content().has_value());
    byte = static_cast<char>(byte ^ 0x10);
  }
}

TEST_F(Attachment, OfAnotherRecordingIsRefused) {
  const size_t database = read_file(path_)->size();
  const std::string other = dir_->file("other.hap");
  write(other, "lxc");
  ASSERT_TRUE(attach(other, "content").ok());
  const std::string foreign = read_file(other)->substr(database);
  ASSERT_TRUE(write_file_atomic(path_, *read_file(path_) + foreign).ok());
  expect_refused("too many");
}

TEST_F(Attachment, ARecordingEditedSinceIsRefused) {
  ASSERT_TRUE(attach(path_, "content").ok());
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "UPDATE meta SET value='lxc'", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  ASSERT_FALSE(read_attachment(path_).ok());
}

TEST_F(Attachment, OnlyARecordingTakesOne) {
  ASSERT_TRUE(write_file_atomic(path_, "hello").ok());
  EXPECT_FALSE(attach(path_, "content").ok());
  EXPECT_EQ(*read_file(path_), "hello");
  EXPECT_FALSE(attach(dir_->file("missing.hap"), "content").ok());
}

}  // namespace
}  // namespace hap
