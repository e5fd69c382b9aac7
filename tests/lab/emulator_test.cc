// How exact the emulator collector is: a static program whose system calls are known, and QEMU's own
// execution log of the same run as a second, independent witness.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>

#include "base/file.h"
#include "base/temp_dir.h"
#include "collect/emulator/emulator_collector.h"
#include "collect/emulator/kallsyms.h"
#include "collect/emulator/stream_reader.h"
#include "lab/lab.h"

namespace hap::testing {
namespace {

using ::testing::Contains;
using ::testing::Not;

#define ASSERT_GOOD(result) ASSERT_TRUE(result) << (result).error().to_string()

// The kernel as functions by address.
class Functions {
 public:
  explicit Functions(const collect::Kallsyms& symbols) {
    for (const auto& symbol : symbols.symbols()) {
      if (symbol.address >= 0xffffffff80000000 && symbol.name.substr(0, 6) != "__pfx_") {
        names_.emplace(symbol.address, symbol.name);
      }
    }
  }
  std::string at(uint64_t address) const {
    auto next = names_.upper_bound(address);
    return next == names_.begin() ? "?" : std::prev(next)->second;
  }

 private:
  std::map<uint64_t, std::string> names_;
};

struct StreamContents {
  std::map<uint32_t, collect::StreamBlock> kernel_blocks;
  std::map<uint32_t, collect::StreamActor> actors;
  std::map<uint32_t, collect::StreamTask> tasks;
  std::map<uint32_t, std::vector<collect::StreamHit>> hits;  // by window
  std::map<std::pair<uint32_t, int>, uint64_t> syscalls;     // task, number
};

StreamContents read_stream(const std::string& path) {
  StreamContents run;
  auto bytes = read_file(path);
  EXPECT_TRUE(bytes);
  collect::StreamReader reader;
  std::span<const std::byte> rest = std::as_bytes(std::span(*bytes));
  uint32_t kernel = 0;
  size_t consumed = 1;
  while (consumed != 0) {
    auto record = reader.next(rest, consumed);
    EXPECT_TRUE(record) << record.error().to_string();
    if (!record || !record->has_value()) break;
    rest = rest.subspan(consumed);
    if (auto* image = std::get_if<collect::StreamImage>(&**record)) {
      if (image->kind == stream::ImageKind::host_kernel) kernel = image->id;
    } else if (auto* block = std::get_if<collect::StreamBlock>(&**record)) {
      if (block->image == kernel) run.kernel_blocks[block->id] = *block;
    } else if (auto* actor = std::get_if<collect::StreamActor>(&**record)) {
      run.actors[actor->id] = *actor;
    } else if (auto* task = std::get_if<collect::StreamTask>(&**record)) {
      run.tasks[task->id] = *task;
    } else if (auto* hits = std::get_if<collect::StreamHits>(&**record)) {
      auto& all = run.hits[hits->window];
      all.insert(all.end(), hits->hits.begin(), hits->hits.end());
    } else if (auto* calls = std::get_if<collect::StreamSyscalls>(&**record)) {
      for (const auto& row : calls->counts) run.syscalls[{row.task, row.number}] += row.count;
    }
  }
  EXPECT_TRUE(reader.complete());
  return run;
}

class Emulator : public ::testing::Test {
 protected:
  // Runs the known program once, with the plugin and with QEMU's log of executed kernel blocks and of the
  // program's.
  static void SetUpTestSuite() {
    auto folder = TempDir::create("/var/tmp");
    ASSERT_GOOD(folder);
    folder_ = std::make_unique<TempDir>(std::move(*folder));
    NoProgress progress;
    const CancelToken cancel;
    auto lab = lab::open_lab({}, progress, cancel);
    if (!lab) {
      missing_ = lab.error().to_string() + "; " + lab.error().hint();
      return;
    }
    const std::string hooks = folder_->file("hooks");
    ASSERT_GOOD(
        collect::write_hooks(lab->checkpoint.file(lab::kKallsyms), lab->checkpoint.file(lab::kBtf), hooks));
    auto argument = collect::qemu_plugin_argument(HAP_BINARY_DIR "/emulator-plugin/libhap-emulator.so", hooks,
                                                  folder_->file("stream"));
    ASSERT_GOOD(argument);
    lab::StartOptions options;
    options.arguments = {"-plugin",  *argument,
                         "-D",       folder_->file("log"),
                         "-dfilter", "0xffffffff80000000+0x7effffff,0x400000+0x200000"};
    auto machine = lab::start_machine(*lab, options, cancel);
    ASSERT_GOOD(machine);
    auto program = read_file(HAP_KNOWN_PROGRAM);
    ASSERT_GOOD(program);
    ASSERT_GOOD(machine->call("write_file", {{"path", "/run/known"}, {"mode", 0755}}, cancel,
                              std::chrono::minutes(1), *program));
    ASSERT_GOOD(
        machine->qmp().execute("human-monitor-command", {{"command-line", "log exec,nochain"}}, cancel));
    ASSERT_GOOD(machine->call("exec", {{"argv", {"/run/known"}}}, cancel, std::chrono::minutes(5)));
    ASSERT_GOOD(machine->qmp().execute("human-monitor-command", {{"command-line", "log none"}}, cancel));
    ASSERT_GOOD(machine->quit(cancel));
    run_ = read_stream(folder_->file("stream"));
    auto text = read_file(lab->checkpoint.file(lab::kKallsyms));
    ASSERT_GOOD(text);
    auto symbols = collect::Kallsyms::parse(*text);
    ASSERT_GOOD(symbols);
    functions_ = std::make_unique<Functions>(*symbols);
  }
  static void TearDownTestSuite() {
    folder_.reset();
    functions_.reset();
  }

  void SetUp() override {
    if (!missing_.empty()) GTEST_SKIP() << missing_;
    ASSERT_FALSE(run_.hits.empty());
  }

  // Kernel functions that the program itself ran in a window.
  static std::set<std::string> functions_of_program(uint32_t window) {
    std::set<std::string> names;
    for (const auto& hit : run_.hits[window]) {
      const auto& actor = run_.actors[hit.actor];
      const auto block = run_.kernel_blocks.find(hit.block);
      if (block == run_.kernel_blocks.end() || actor.cause != stream::Cause::process) continue;
      if (run_.tasks[actor.task].comm == "known") names.insert(functions_->at(block->second.address));
    }
    return names;
  }

  static inline std::unique_ptr<TempDir> folder_;
  static inline std::unique_ptr<Functions> functions_;
  static inline std::string missing_;
  static inline StreamContents run_;
};

// Intent: what the system calls must run is there, also what no tracer can see (entry code, static calls,
// notrace), and each window holds its own.
TEST_F(Emulator, KnownSystemCallsRunKnownFunctions) {
  const auto first = functions_of_program(1);
  for (const char* name :
       {"entry_SYSCALL_64", "do_syscall_64", "x64_sys_call", "__do_sys_getpid", "__x64_sys_openat",
        "do_sys_openat2", "path_openat", "vfs_read", "seq_read_iter", "comm_show", "__x64_sys_close",
        "create_pipe_files", "vfs_write", "syscall_return_via_sysret"}) {
    EXPECT_THAT(first, Contains(name));
  }
  EXPECT_THAT(first, Not(Contains("__do_sys_getppid")));
  const auto second = functions_of_program(2);
  EXPECT_THAT(second, Contains("__do_sys_getppid"));
  EXPECT_THAT(second, Not(Contains("__do_sys_getpid")));
  EXPECT_THAT(second, Not(Contains("vfs_read")));
  EXPECT_LT(second.size(), 60u);
}

TEST_F(Emulator, InterruptsAreNotTheProgramsDoing) {
  for (const uint32_t window : {1u, 2u}) {
    const auto names = functions_of_program(window);
    for (const char* name : {"irq_enter_rcu", "handle_irq_event", "hrtimer_interrupt", "run_timer_softirq"}) {
      EXPECT_THAT(names, Not(Contains(name)));
    }
  }
}

TEST_F(Emulator, SystemCallsAreCounted) {
  std::map<int, uint64_t> counts;
  for (const auto& [key, count] : run_.syscalls) {
    if (run_.tasks[key.first].comm == "known") counts[key.second] += count;
  }
  EXPECT_EQ(counts, (std::map<int, uint64_t>{{0, 1}, {1, 2}, {3, 1}, {22, 1}, {39, 1}, {110, 1}, {257, 1}}));
}

// Intent: QEMU's own log of the same run names the same kernel blocks. The differences are listed by cause,
// and there is none without one.
TEST_F(Emulator, QemusOwnLogSaysTheSame) {
  // The program's own blocks in the log tell where recording was on: from the block of its second mark (phase
  // begin) to that of its second but last.
  auto program = read_file(HAP_KNOWN_PROGRAM);
  ASSERT_GOOD(program);
  std::vector<uint64_t> marks;
  static constexpr std::string_view mark("\x0f\x1f\x80\x31\x50\x41\x48", 7);
  for (size_t at = program->find(mark); at != std::string::npos; at = program->find(mark, at + 1)) {
    marks.push_back(0x400000 + at);  // linked there, without padding before the text
  }
  ASSERT_EQ(marks.size(), 6u);

  // A program block that begins behind one mark and not behind the next contains the next.
  std::set<uint64_t> user_starts;
  std::vector<std::pair<uint64_t, char>> lines;  // address; T run, S run stopped before it began, R rewound
  std::ifstream log(folder_->file("log"));
  for (std::string line; std::getline(log, line);) {
    const auto hex_after = [&](size_t at) { return std::stoull(line.substr(at), nullptr, 16); };
    if (line.rfind("Trace", 0) == 0) {
      lines.emplace_back(hex_after(line.find('/') + 1), 'T');
    } else if (line.rfind("Stopped", 0) == 0) {
      lines.emplace_back(hex_after(line.find('[') + 1), 'S');
    } else if (line.find("rewound") != std::string::npos) {
      lines.emplace_back(hex_after(line.rfind(' ') + 1), 'R');
    }
  }
  const uint64_t first_mark = marks[1];
  const uint64_t last_mark = marks[4];
  uint64_t begin = 0;
  uint64_t end = 0;
  for (const auto& [address, kind] : lines) {
    if (address <= first_mark && address > begin && address < 0x1000000) begin = address;
    if (address <= last_mark && address > end && address < 0x1000000) end = address;
  }
  std::map<uint64_t, int> ran;
  std::set<uint64_t> rewound;
  bool on = false;
  for (const auto& [address, kind] : lines) {
    if (address == begin && kind == 'T') on = true;
    if (address == end && on && kind == 'T' && begin != end) break;
    if (!on || address < 0x1000000) continue;
    if (kind == 'T') ++ran[address];
    if (kind == 'S') --ran[address];
    if (kind == 'R') rewound.insert(address);
  }
  std::set<uint64_t> logged;
  for (const auto& [address, times] : ran) {
    if (times > 0) logged.insert(address);
  }
  std::set<uint64_t> noted;
  std::set<uint64_t> ends;
  for (const auto& [window, hits] : run_.hits) {
    for (const auto& hit : hits) {
      const auto block = run_.kernel_blocks.find(hit.block);
      if (block == run_.kernel_blocks.end()) continue;
      noted.insert(block->second.address);
      ends.insert(block->second.address + block->second.size);
    }
  }
  ASSERT_GT(logged.size(), 300u);

  size_t device_accesses = 0;
  for (const uint64_t address : logged) {
    if (noted.count(address) != 0) continue;
    ++device_accesses;
    EXPECT_EQ(rewound.count(address), 1u)
        << "only QEMU's log has " << functions_->at(address) << std::hex << address;
  }
  size_t cuts = 0;
  for (const uint64_t address : noted) {
    if (logged.count(address) != 0) continue;
    ++cuts;
    EXPECT_EQ(ends.count(address), 1u)
        << "only the plugin has " << functions_->at(address) << std::hex << address;
  }
  std::printf("%zu kernel blocks in QEMU's log, %zu noted by the plugin\n", logged.size(), noted.size());
  std::printf("  only in the log: %zu, instructions repeated after an access to a device\n", device_accesses);
  std::printf("  only noted: %zu, parts of blocks that the plugin cut\n", cuts);
}

}  // namespace
}  // namespace hap::testing
