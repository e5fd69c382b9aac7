// The plugin's stream: what a whole one says, and that nothing but a whole one is believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "collect/emulator/stream_follower.h"
#include "collect/emulator/stream_import.h"
#include "collect/emulator/stream_reader.h"

namespace hap::collect {
namespace {

using stream::Chunk;
using testing::HasSubstr;

// Writes what the plugin would.
class StreamBytes {
 public:
  StreamBytes() {
    bytes_.append(stream::magic, sizeof(stream::magic));
    put(stream::version);
    put(uint32_t{0});
  }

  template <typename... Fields>
  StreamBytes& chunk(Chunk type, const Fields&... fields) {
    std::string payload;
    (append(payload, fields), ...);
    put(static_cast<uint32_t>(type));
    put(static_cast<uint32_t>(payload.size()));
    bytes_ += payload;
    return *this;
  }

  StreamBytes& counter(const std::string& name, uint64_t value) { return chunk(Chunk::counter, name, value); }
  StreamBytes& mark(uint64_t kind, uint64_t argument = 0) {
    return chunk(Chunk::mark, kind, argument, uint64_t{0});
  }

  StreamBytes& task(uint32_t id, const std::string& comm, const std::string& cgroup) {
    return chunk(Chunk::task, id, int32_t{42}, int32_t{42}, int32_t{1}, uint32_t{0}, uint64_t{7}, uint64_t{9},
                 comm, cgroup);
  }

  StreamBytes& hits(uint32_t window, const std::vector<std::pair<uint32_t, uint32_t>>& pairs) {
    std::string rows;
    for (const auto& [actor, block] : pairs) {
      append(rows, actor);
      append(rows, block);
    }
    return chunk(Chunk::hits, window, static_cast<uint32_t>(pairs.size()), Raw{rows});
  }

  StreamBytes& good_counters() {
    return counter("registers_bound", 1)
        .counter("switches", 3)
        .counter("preempt_stores", 5)
        .counter("recordings_begun", 1)
        .counter("recordings_ended", 1)
        .counter("recording", 0);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  struct Raw {
    const std::string& bytes;
  };
  static void append(std::string& out, const std::string& text) {
    append(out, static_cast<uint16_t>(text.size()));
    out += text;
  }
  static void append(std::string& out, const Raw& raw) { out += raw.bytes; }
  template <typename T>
  requires std::is_arithmetic_v<T>
  static void append(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  template <typename T>
  void put(T value) {
    append(bytes_, value);
  }
  std::string bytes_;
};

// A short but whole run: two windows of the serve phase; the kernel, a module and redis.
StreamBytes whole_run() {
  StreamBytes run;
  run.mark(1)
      .mark(3, 2)
      .task(1, "redis-server", "/sandbox")
      .chunk(Chunk::actor, uint32_t{1}, uint32_t{1}, uint8_t{1}, uint8_t{0}, uint32_t{0}, std::string())
      .chunk(Chunk::actor, uint32_t{2}, uint32_t{1}, uint8_t{2}, uint8_t{3}, uint32_t{0},
             std::string("/sandbox"))
      .chunk(Chunk::window_begin, uint32_t{1}, uint8_t{2})
      .chunk(Chunk::image, uint32_t{1}, uint8_t{1}, uint64_t{0}, uint64_t{0}, std::string("vmlinux"))
      .chunk(Chunk::block, uint32_t{1}, uint32_t{1}, uint64_t{0xffffffff81000100}, uint32_t{16}, uint64_t{11})
      .chunk(Chunk::block, uint32_t{2}, uint32_t{1}, uint64_t{0xffffffffc0001010}, uint32_t{8}, uint64_t{12})
      .chunk(Chunk::image, uint32_t{2}, uint8_t{2}, uint64_t{8}, uint64_t{99},
             std::string("/usr/bin/redis-server"))
      .chunk(Chunk::block, uint32_t{3}, uint32_t{2}, uint64_t{0x4000}, uint32_t{5}, uint64_t{13})
      .hits(1, {{1, 1}, {1, 2}, {1, 3}})
      .chunk(Chunk::window_end, uint32_t{1}, uint64_t{10}, uint32_t{3})
      .chunk(Chunk::window_begin, uint32_t{2}, uint8_t{2})
      .hits(2, {{1, 1}, {2, 1}})
      .hits(2, {{2, 1}})  // a block that is always looked at may come twice
      .chunk(Chunk::window_end, uint32_t{2}, uint64_t{11}, uint32_t{0})
      .mark(4, 2)
      .chunk(Chunk::syscalls, uint32_t{1}, uint32_t{1}, uint8_t{2}, int32_t{202}, uint64_t{6})
      .mark(2)
      .good_counters()
      .chunk(Chunk::end);
  return run;
}

constexpr char kernel_json[] = R"({"build_id": "ab01", "modules": [
  {"name": "kvm", "address": "0xffffffffc0001000", "build_id": "cd02", "sections": {".text": "0xffffffffc0001000"}}]})";
constexpr char kallsyms[] =
    "ffffffff81000100 T vfs_read\n"
    "ffffffffc0001000 t kvm_init\t[kvm]\n";

class StreamTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("hap-stream-test-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& bytes) {
    const std::string path = folder_ / "stream";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  Result<StreamStats> import(const std::string& bytes) {
    auto kernel = KernelMap::build(kernel_json, kallsyms);
    EXPECT_TRUE(kernel) << kernel.error().to_string();
    auto writer = RecordingWriter::create(recording_path());
    EXPECT_TRUE(writer) << writer.error().to_string();
    ImportOptions options{std::move(*kernel), {}, {}};
    options.build_id = [](const Image& image) { return image.path == "/usr/bin/redis-server" ? "ef03" : ""; };
    options.complete_window = [](Window& window, uint64_t number) { window.requests = number * 100; };
    auto stats = import_stream(write(bytes), options, *writer);
    if (stats) {
      for (const char* key : {"tool_version", "created", "sandbox", "workload", "collector", "granularity"}) {
        EXPECT_TRUE(writer->set_meta(key, "x"));
      }
      const Status finished = writer->finish();
      EXPECT_TRUE(finished) << finished.error().to_string();
    }
    return stats;
  }

  std::string recording_path() const { return folder_ / "run.hap"; }

  std::filesystem::path folder_;
};

TEST_F(StreamTest, AWholeRunBecomesARecording) {
  auto stats = import(whole_run().bytes());
  ASSERT_TRUE(stats) << stats.error().to_string();
  EXPECT_EQ(stats->hits, 4u);  // (block, actor) pairs
  ASSERT_EQ(stats->windows.size(), 2u);
  EXPECT_EQ(stats->windows[1].number, 11u);

  auto recording = Recording::open(recording_path());
  ASSERT_TRUE(recording) << recording.error().to_string();
  const RecordingHeader& header = recording->header();
  EXPECT_EQ(recording->meta("context_switches"), "3");
  ASSERT_EQ(header.windows.size(), 2u);
  EXPECT_EQ(header.windows[0].requests, 1000u);
  ASSERT_EQ(header.syscalls.size(), 1u);
  EXPECT_EQ(header.syscalls[0].count, 6u);

  std::map<uint32_t, Image> images;
  for (const Image& image : header.images) images[image.id] = image;
  std::map<uint32_t, Block> blocks;
  ASSERT_TRUE(recording->for_each_block([&](const Block& block) { return blocks[block.id] = block, true; }));
  EXPECT_EQ(images[blocks[1].image].kind, ImageKind::kernel);
  EXPECT_EQ(images[blocks[1].image].build_id, "ab01");
  EXPECT_EQ(blocks[1].address, 0xffffffff81000100u);
  EXPECT_EQ(images[blocks[2].image].kind, ImageKind::module);
  EXPECT_EQ(images[blocks[2].image].path, "kvm");
  EXPECT_EQ(blocks[2].address, 0x10u) << "an offset in the module";
  EXPECT_EQ(images[blocks[3].image].kind, ImageKind::user);
  EXPECT_EQ(images[blocks[3].image].build_id, "ef03");
  EXPECT_EQ(images[blocks[3].image].inode, 99u);

  std::vector<Hit> hits;
  ASSERT_TRUE(recording->for_each_hit([&](const Hit& hit) { return hits.push_back(hit), true; }));
  ASSERT_EQ(hits.size(), 4u);
  EXPECT_EQ(hits[0].windows, (std::vector<uint32_t>{1, 2})) << "block 1 by the task itself, in both windows";
  EXPECT_EQ(hits[1].windows, (std::vector<uint32_t>{2})) << "block 1 in a softirq, once though written twice";
}

TEST_F(StreamTest, CutAnywhereItIsRefused) {
  const std::string bytes = whole_run().bytes();
  auto kernel = KernelMap::build(kernel_json, kallsyms);
  ASSERT_TRUE(kernel);
  const ImportOptions options{std::move(*kernel), {}, {}};
  auto writer = RecordingWriter::create(recording_path());
  ASSERT_TRUE(writer);
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto stats = import_stream(write(bytes.substr(0, length)), options, *writer);
    ASSERT_FALSE(stats) << "cut at " << length;
    EXPECT_EQ(stats.error().kind(), ErrorKind::corrupt) << "cut at " << length;
  }
  EXPECT_FALSE(std::filesystem::exists(recording_path()));
}

TEST_F(StreamTest, DamagedAnywhereItNeverCrashes) {
  const std::string bytes = whole_run().bytes();
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = bytes;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    StreamReader reader;
    std::span<const std::byte> rest = std::as_bytes(std::span(damaged));
    size_t consumed = 1;
    while (consumed != 0) {
      const auto record = reader.next(rest, consumed);
      if (!record) break;
      rest = rest.subspan(consumed);
    }
  }
}

TEST_F(StreamTest, RunsThatSawNothingAreRefused) {
  struct Case {
    const char* counter;
    uint64_t value;
    const char* says;
  };
  for (const Case& wrong :
       {Case{"switches", 0, "no context switch"}, Case{"preempt_stores", 0, "interrupt contexts"},
        Case{"recordings_begun", 0, "never began"}, Case{"recording", 1, "did not end"},
        Case{"registers_bound", 0, "registers"}, Case{"switch_mismatches", 1, "not known to run"},
        Case{"unknown_processors", 1, "not known to run"}}) {
    StreamBytes run = whole_run();
    run.counter(wrong.counter, wrong.value).chunk(Chunk::end);
    const auto stats = import(run.bytes());
    ASSERT_FALSE(stats) << wrong.counter;
    EXPECT_THAT(stats.error().message(), HasSubstr(wrong.says));
    EXPECT_NE(stats.error().hint(), "");
  }
}

TEST_F(StreamTest, MarksMustPair) {
  for (const std::vector<std::pair<uint64_t, uint64_t>>& marks :
       std::vector<std::vector<std::pair<uint64_t, uint64_t>>>{
           {{1, 0}, {2, 0}},                          // no phase
           {{1, 0}, {3, 2}, {4, 3}, {2, 0}},          // another phase ends
           {{1, 0}, {3, 2}, {2, 0}},                  // phase still open
           {{3, 2}, {4, 2}},                          // not recording
           {{1, 0}, {3, 2}, {4, 2}, {5, 1}, {2, 0}},  // window outside a phase
           {{1, 0}, {3, 2}, {4, 2}}}) {               // no end
    StreamBytes run;
    for (const auto& [kind, argument] : marks) run.mark(kind, argument);
    run.good_counters().chunk(Chunk::end);
    const auto stats = import(run.bytes());
    ASSERT_FALSE(stats);
    EXPECT_THAT(stats.error().message(), testing::AnyOf(HasSubstr("do not pair"), HasSubstr("no phase")));
  }
}

TEST_F(StreamTest, ReferencesToNothingAreRefused) {
  const auto refused = [&](StreamBytes run) {
    const auto stats = import(run.bytes());
    return !stats && stats.error().kind() == ErrorKind::corrupt;
  };
  EXPECT_TRUE(refused(
      StreamBytes().chunk(Chunk::block, uint32_t{1}, uint32_t{1}, uint64_t{0}, uint32_t{1}, uint64_t{0})));
  EXPECT_TRUE(refused(StreamBytes().chunk(Chunk::actor, uint32_t{1}, uint32_t{5}, uint8_t{1}, uint8_t{0},
                                          uint32_t{0}, std::string())));
  EXPECT_TRUE(refused(StreamBytes().chunk(Chunk::window_begin, uint32_t{1}, uint8_t{2}).hits(1, {{1, 1}})));
  EXPECT_TRUE(refused(StreamBytes().chunk(Chunk::window_end, uint32_t{1}, uint64_t{0}, uint32_t{0})));
  EXPECT_TRUE(refused(StreamBytes().task(1, "a", "/").task(1, "b", "/")));
  EXPECT_TRUE(refused(StreamBytes().chunk(static_cast<Chunk>(77))));
}

TEST_F(StreamTest, AFollowerSeesWindowsAsTheyEnd) {
  const std::string bytes = whole_run().bytes();
  const std::string path = folder_ / "growing";
  StreamFollower follower(path,
                          [](const StreamTask& task, const StreamActor& actor, const StreamImage& image) {
                            return task.comm == "redis-server" && actor.cause == stream::Cause::process &&
                                   image.kind == stream::ImageKind::host_kernel;
                          });
  auto none = follower.poll();
  ASSERT_TRUE(none) << "the file need not be there yet";
  EXPECT_TRUE(none->empty());

  std::vector<WindowSummary> windows;
  std::ofstream file(path, std::ios::binary);
  for (size_t at = 0; at < bytes.size(); at += 7) {
    file << bytes.substr(at, 7) << std::flush;
    auto finished = follower.poll();
    ASSERT_TRUE(finished) << finished.error().to_string();
    windows.insert(windows.end(), finished->begin(), finished->end());
  }
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0].blocks, 2u) << "the user block does not count here";
  EXPECT_EQ(windows[0].new_blocks, 2u);
  EXPECT_EQ(windows[0].addresses.size(), 2u);
  EXPECT_TRUE(std::is_sorted(windows[0].addresses.begin(), windows[0].addresses.end()));
  EXPECT_EQ(windows[1].blocks, 1u);
  EXPECT_EQ(windows[1].new_blocks, 0u);
  EXPECT_EQ(windows[1].all_blocks, 2u);
  EXPECT_EQ(windows[1].number, 11u);
}

}  // namespace
}  // namespace hap::collect
