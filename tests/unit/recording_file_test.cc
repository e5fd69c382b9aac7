// The recording file: what is written is read back; what is damaged, foreign or hostile is refused with a
// reason.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/file.h"
#include "base/temp_dir.h"
#include "hap/recording.h"
#include "recording/seal.h"

namespace hap {
namespace {
namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Image vmlinux() {
  Image image;
  image.id = 1;
  image.kind = ImageKind::kernel;
  image.path = "vmlinux";
  image.build_id = "0123abcd";
  return image;
}

Task redis() {
  Task task;
  task.id = 1;
  task.pid = task.tgid = 100;
  task.ppid = 1;
  task.start_ns = 5;
  task.comm = "redis-server";
  task.cgroup = "/hap/cell";
  task.cgroup_id = 77;
  return task;
}

class RecordingFile : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(dir.ok());
    dir_ = std::make_unique<TempDir>(std::move(*dir));
    path_ = dir_->file("cell.hap");
  }

  RecordingWriter writer() {
    auto writer = RecordingWriter::create(path_);
    EXPECT_TRUE(writer.ok()) << writer.error().to_string();
    return std::move(*writer);
  }

  // One image, three blocks, one task, two actors, three windows, three hits, and a row of everything else.
  void write_small() {
    auto out = writer();
    ASSERT_TRUE(out.set_meta("sandbox", "bare").ok());
    ASSERT_TRUE(out.set_condition("clock", "wall").ok());
    auto module = vmlinux();
    module.id = 2;
    module.kind = ImageKind::module;
    module.path = "kvm";
    module.load_address = 0xffffffffc0000000;
    module.sections = {{".text", 0xffffffffc0000000}, {".init.text", 0xffffffffc0100000}};
    ASSERT_TRUE(out.add(vmlinux()).ok());
    ASSERT_TRUE(out.add(module).ok());
    ASSERT_TRUE(out.add(Block{1, 1, 0xffffffff81000000, 16, 0xdeadbeefcafef00d}).ok());
    ASSERT_TRUE(out.add(Block{2, 1, 0xffffffff81000010, 8, 0}).ok());
    ASSERT_TRUE(out.add(Block{3, 2, 0x20, 0, 0}).ok());
    ASSERT_TRUE(out.add(redis()).ok());
    ASSERT_TRUE(out.add(Actor{1, 1, Cause::process, OwnerKind::none, 0, ""}).ok());
    ASSERT_TRUE(out.add(Actor{2, 1, Cause::softirq, OwnerKind::netdev, 0, "eth0@4026531840"}).ok());
    for (uint32_t id = 1; id <= 3; ++id) {
      ASSERT_TRUE(out.add(Window{id, id == 1 ? Phase::setup : Phase::serve, id * 10, id * 10 + 9, id}).ok());
    }
    ASSERT_TRUE(out.add(Hit{3, 1, {2}}).ok()) << "any order";
    ASSERT_TRUE(out.add(Hit{1, 2, {1, 2, 3}}).ok());
    ASSERT_TRUE(out.add(Hit{1, 1, {2}}).ok());
    ASSERT_TRUE(out.add(ScopeRule{"cgroup", "/hap/cell", "application"}).ok());
    ASSERT_TRUE(out.add(SyscallCount{1, Phase::serve, 45, 300}).ok());
    ASSERT_TRUE(out.add(Loss{"events_lost", 0, ""}).ok());
    ASSERT_TRUE(out.add_unobservable(0xffffffff81234560).ok());
    const auto finished = out.finish();
    ASSERT_TRUE(finished.ok()) << finished.error().to_string();
  }

  std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_->path())) {
      if (entry.path().filename() != ".owner") names.push_back(entry.path().filename());
    }
    return names;
  }

  void alter(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(db);
  }
  // As a hostile author would: changed, then sealed again.
  void alter_and_seal(const std::string& sql) {
    alter(sql);
    const UniqueFd fd(::open(path_.c_str(), O_RDWR));
    ASSERT_TRUE(recording::seal_file(fd.get(), path_).ok());
  }

  void expect_refused(const std::string& because) {
    const auto opened = Recording::open(path_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().kind(), ErrorKind::corrupt);
    EXPECT_THAT(opened.error().message(), HasSubstr(because));
    EXPECT_FALSE(opened.error().hint().empty());
    EXPECT_THAT(opened.error().to_string(), HasSubstr("cell.hap"));
  }

  std::unique_ptr<TempDir> dir_;
  std::string path_;
};

TEST_F(RecordingFile, WhatIsWrittenIsReadBack) {
  write_small();
  const auto opened = Recording::open(path_);
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  const auto& header = opened->header();
  EXPECT_EQ(opened->meta("sandbox"), "bare");
  EXPECT_EQ(opened->meta("no such key"), "");
  EXPECT_EQ(header.conditions.at("clock"), "wall");
  ASSERT_EQ(header.images.size(), 2U);
  EXPECT_EQ(header.images[1].sections.at(".init.text"), 0xffffffffc0100000);
  EXPECT_EQ(header.images[0].build_id, "0123abcd");
  ASSERT_EQ(header.tasks.size(), 1U);
  EXPECT_EQ(header.tasks[0].comm, "redis-server");
  EXPECT_EQ(header.tasks[0].cgroup_id, 77U);
  ASSERT_EQ(header.actors.size(), 2U);
  EXPECT_EQ(header.actors[1].owner_kind, OwnerKind::netdev);
  EXPECT_EQ(header.actors[1].owner_name, "eth0@4026531840");
  ASSERT_EQ(header.windows.size(), 3U);
  EXPECT_EQ(header.windows[0].phase, Phase::setup);
  EXPECT_EQ(header.windows[2].end_ns, 39);
  ASSERT_EQ(header.scope.size(), 1U);
  EXPECT_EQ(header.syscalls.at(0).count, 300U);
  EXPECT_EQ(header.losses.at(0).kind, "events_lost");
  EXPECT_THAT(header.unobservable, ElementsAre(0xffffffff81234560));
  EXPECT_EQ(opened->block_count(), 3U);
  EXPECT_EQ(opened->hit_count(), 3U);

  std::vector<Block> blocks;
  ASSERT_TRUE(opened
                  ->for_each_block([&](const Block& block) {
                    blocks.push_back(block);
                    return true;
                  })
                  .ok());
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].address, 0xffffffff81000000);
  EXPECT_EQ(blocks[0].code_hash, 0xdeadbeefcafef00d);
  std::vector<Hit> hits;
  ASSERT_TRUE(opened
                  ->for_each_hit([&](const Hit& hit) {
                    hits.push_back(hit);
                    return true;
                  })
                  .ok());
  ASSERT_EQ(hits.size(), 3U);
  EXPECT_EQ(hits[0].block, 1U);
  EXPECT_THAT(hits[1].windows, ElementsAre(1, 2, 3));
  EXPECT_EQ(hits[2].block, 3U);
  size_t seen = 0;
  ASSERT_TRUE(opened
                  ->for_each_hit([&](const Hit&) {
                    ++seen;
                    return false;
                  })
                  .ok());
  EXPECT_EQ(seen, 1U) << "the visitor stopped";
}

TEST_F(RecordingFile, NothingIsThereUntilFinishedAndNothingIsLeftBehind) {
  {
    auto out = writer();
    EXPECT_FALSE(fs::exists(path_));
    EXPECT_EQ(entries().size(), 1U) << "the partial file";
  }
  EXPECT_TRUE(entries().empty()) << "an abandoned writer cleans up";
  write_small();
  EXPECT_THAT(entries(), ElementsAre("cell.hap"));
}

TEST_F(RecordingFile, AnInterruptedRewriteLeavesTheOldRecording) {
  write_small();
  { auto unfinished = writer(); }
  EXPECT_TRUE(Recording::open(path_).ok());
}

TEST_F(RecordingFile, WhatAKilledWriterLeftIsRemovedByTheNextAndWhatIsInUseIsNot) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto out = RecordingWriter::create(path_);
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(entries().size(), 1U);
  std::ofstream(dir_->file("notes.partial-12")) << "not ours";
  auto first = writer();
  auto second = RecordingWriter::create(dir_->file("other.hap"));
  EXPECT_EQ(entries().size(), 3U) << "two in use and the user's own file";
  ASSERT_TRUE(first.finish().ok());
}

TEST_F(RecordingFile, AMissingFolderIsAnErrorWithAHint) {
  const auto out = RecordingWriter::create(dir_->file("no/such/cell.hap"));
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().err(), ENOENT);
  EXPECT_FALSE(out.error().hint().empty());
}

TEST_F(RecordingFile, RowsThatReferToNothingAreRefusedAtTheEnd) {
  struct Case {
    std::function<Status(RecordingWriter&)> add;
    std::string message;
  };
  const std::vector<Case> cases = {
      {[](auto& out) {
         return out.add(Block{1, 9, 0, 1, 0});
       },
       "image 9"},
      {[](auto& out) {
         return out.add(Actor{1, 9, Cause::process, OwnerKind::none, 0, ""});
       },
       "task 9"},
      {[](auto& out) {
         return out.add(Hit{9, 9, {1}});
       },
       "window 1"},
      {[](auto& out) {
         return out.add(SyscallCount{9, Phase::serve, 1, 1});
       },
       "task 9"},
  };
  for (const auto& each : cases) {
    auto out = writer();
    ASSERT_TRUE(each.add(out).ok());
    const auto finished = out.finish();
    ASSERT_FALSE(finished.ok());
    EXPECT_EQ(finished.error().kind(), ErrorKind::corrupt);
    EXPECT_THAT(finished.error().message(), HasSubstr(each.message));
    EXPECT_FALSE(fs::exists(path_));
  }
  auto out = writer();
  EXPECT_FALSE(out.add(Hit{1, 1, {}}).ok()) << "a hit in no window is none";
  EXPECT_FALSE(out.add(Hit{1, 1, {2, 1}}).ok());
  EXPECT_FALSE(out.add(Task{}).ok()) << "task 0 means none";
}

TEST_F(RecordingFile, AnySqliteClientCanReadIt) {
  write_small();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open_v2(path_.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_stmt* check = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, nullptr), SQLITE_OK);
  ASSERT_EQ(sqlite3_step(check), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(check, 0)), "ok");
  sqlite3_finalize(check);
  sqlite3_close(db);
}

TEST_F(RecordingFile, CutAtAnyByteIsRefused) {
  write_small();
  const auto content = *read_file(path_);
  const auto bytes = std::as_bytes(std::span(content));
  ASSERT_TRUE(recording::check_seal(bytes, path_).ok());
  for (size_t size = 0; size < content.size(); ++size) {
    ASSERT_FALSE(recording::check_seal(bytes.first(size), path_).ok()) << size;
  }
  for (const size_t size : {size_t{0}, size_t{15}, size_t{99}, size_t{4096}, content.size() - 1}) {
    fs::resize_file(path_, size);
    const auto opened = Recording::open(path_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().kind(), ErrorKind::corrupt);
    ASSERT_TRUE(write_file_atomic(path_, content).ok());
  }
  ASSERT_TRUE(write_file_atomic(path_, content + "x").ok());
  expect_refused("too many");
}

TEST_F(RecordingFile, AnyChangedByteIsNoticed) {
  write_small();
  auto content = *read_file(path_);
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    const size_t at = random() % content.size();
    const char flip = static_cast<char>(1 << (random() % 8));
    content[at] ^= flip;
    ASSERT_FALSE(recording::check_seal(std::as_bytes(std::span(content)), path_).ok()) << at;
    content[at] ^= flip;
  }
}

TEST_F(RecordingFile, ForeignFilesAreNamedAsWhatTheyAre) {
  ASSERT_TRUE(write_file_atomic(path_, "hello").ok());
  expect_refused("not a SQLite file");
  ASSERT_TRUE(write_file_atomic(path_, "").ok());
  expect_refused("not a SQLite file");
  fs::remove(path_);
  alter("CREATE TABLE t(x)");
  expect_refused("not a recording");
  fs::remove(path_);
  const auto missing = Recording::open(path_);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().err(), ENOENT);
  EXPECT_FALSE(Recording::open(dir_->path()).ok());
}

TEST_F(RecordingFile, ANewerVersionSaysSo) {
  write_small();
  alter_and_seal("PRAGMA user_version=2");
  expect_refused("schema version 2");
}

TEST_F(RecordingFile, AnEditedRecordingIsNotIntact) {
  write_small();
  alter("UPDATE meta SET value='gvisor-systrap'");
  expect_refused("digest");
}

TEST_F(RecordingFile, HostileContentUnderAValidSealIsRefused) {
  const std::vector<std::string> attacks = {
      "CREATE VIEW v AS SELECT 1",
      "CREATE TRIGGER t AFTER INSERT ON meta BEGIN SELECT 1; END",
      "CREATE TABLE extra(x)",
      "DROP TABLE loss",
      "UPDATE image SET kind='nonsense'",
      "UPDATE actor SET task=99",
      "UPDATE task SET pid='abc'",
      "UPDATE window SET phase=x'00'",
      "UPDATE window_set SET members=x'ffff'",
      "UPDATE window_set SET id=id+5",
      "DELETE FROM window WHERE id=2",
  };
  for (const auto& sql : attacks) {
    write_small();
    alter_and_seal(sql);
    const auto opened = Recording::open(path_);
    EXPECT_FALSE(opened.ok()) << sql;
  }
  for (const std::string sql : {"UPDATE hit SET window_set=99", "UPDATE hit SET window_set='x'"}) {
    write_small();
    alter_and_seal(sql);
    const auto opened = Recording::open(path_);
    ASSERT_TRUE(opened.ok());
    EXPECT_FALSE(opened->for_each_hit([](const Hit&) { return true; }).ok()) << sql;
  }
}

TEST_F(RecordingFile, TwoHundredThousandHitsTakeWellUnderASecond) {
  constexpr uint32_t blocks = 100'000;
  const auto started = std::chrono::steady_clock::now();
  auto out = writer();
  ASSERT_TRUE(out.add(vmlinux()).ok());
  ASSERT_TRUE(out.add(redis()).ok());
  ASSERT_TRUE(out.add(Actor{1, 1, Cause::process, OwnerKind::none, 0, ""}).ok());
  ASSERT_TRUE(out.add(Actor{2, 1, Cause::softirq_bh, OwnerKind::none, 0, ""}).ok());
  for (uint32_t id = 1; id <= 60; ++id) ASSERT_TRUE(out.add(Window{id, Phase::serve, id, id + 1, 1}).ok());
  std::mt19937 random(1);
  for (uint32_t block = 1; block <= blocks; ++block) {
    ASSERT_TRUE(out.add(Block{block, 1, 0xffffffff81000000 + block * 16, 16, random()}).ok());
    std::vector<uint32_t> windows;
    for (uint32_t id = 1 + random() % 60; id <= 60; id += 1 + random() % 7) windows.push_back(id);
    ASSERT_TRUE(out.add(Hit{block, 1, windows}).ok());
    ASSERT_TRUE(out.add(Hit{block, 2, windows}).ok());
  }
  ASSERT_TRUE(out.finish().ok());
  const auto written = std::chrono::steady_clock::now();
  const auto opened = Recording::open(path_);
  ASSERT_TRUE(opened.ok());
  uint64_t incidences = 0;
  ASSERT_TRUE(opened
                  ->for_each_hit([&](const Hit& hit) {
                    incidences += hit.windows.size();
                    return true;
                  })
                  .ok());
  const auto read = std::chrono::steady_clock::now();
  EXPECT_GT(incidences, 2 * blocks);
  const auto ms = [](auto span) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  };
  RecordProperty("write_ms", static_cast<int>(ms(written - started)));
  RecordProperty("read_ms", static_cast<int>(ms(read - written)));
  std::printf("write %ld ms, read %ld ms, %ju bytes\n", ms(written - started), ms(read - written),
              static_cast<uintmax_t>(fs::file_size(path_)));
  EXPECT_LT(ms(written - started), 5000) << "generous: sanitizers and a busy machine";
}

}  // namespace
}  // namespace hap
