// How exact the emulator collector is: a static program whose system calls are known, and QEMU's own
// execution log of a second run from the same checkpoint, under the instruction clock and without the plugin,
// as an independent witness; and a longer run in two ways that the plugin has of looking at blocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>

#include "base/file.h"
#include "base/paths.h"
#include "base/temp_dir.h"
#include "collect/emulator/emulator_collector.h"
#include "collect/emulator/kallsyms.h"
#include "collect/emulator/stream_reader.h"
#include "hap/resolver.h"
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
  std::map<std::string, uint64_t> counters;
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
    } else if (auto* counter = std::get_if<collect::StreamCounter>(&**record)) {
      run.counters[counter->name] = counter->value;
    } else if (auto* calls = std::get_if<collect::StreamSyscalls>(&**record)) {
      for (const auto& row : calls->counts) run.syscalls[{row.task, row.number}] += row.count;
    }
  }
  EXPECT_TRUE(reader.complete());
  return run;
}

constexpr const char* program_path = "/run/known";

class Emulator : public ::testing::Test {
 protected:
  // Runs the known program twice from one checkpoint of a machine on the instruction clock: once with the
  // plugin, once with QEMU's log of executed kernel blocks and of the program's.
  static void SetUpTestSuite() {
    auto folder = TempDir::create("/var/tmp");
    ASSERT_GOOD(folder);
    folder_ = std::make_unique<TempDir>(std::move(*folder));
    NoProgress progress;
    const CancelToken cancel;
    lab::LabSpec spec;
    spec.icount = "shift=2,sleep=off";
    auto lab = lab::open_lab(spec, progress, cancel);
    ASSERT_TRUE(lab) << lab.error().to_string() << "; " << lab.error().hint();
    lab_ = std::make_unique<lab::Lab>(std::move(*lab));
    ASSERT_GOOD(collect::write_hooks(lab_->checkpoint.file(lab::kKallsyms), lab_->checkpoint.file(lab::kBtf),
                                     folder_->file("hooks")));
    run_ = noted_run("", {program_path});
    run_known_program(
        *lab_, {"-D", folder_->file("log"), "-dfilter", "0xffffffff80000000+0x7effffff,0x400000+0x200000"},
        true, {program_path});
    auto text = read_file(lab_->checkpoint.file(lab::kKallsyms));
    ASSERT_GOOD(text);
    auto symbols = collect::Kallsyms::parse(*text);
    ASSERT_GOOD(symbols);
    functions_ = std::make_unique<Functions>(*symbols);
    auto facts = lab_->kernel_facts();
    ASSERT_GOOD(facts);
    build_id_ = facts->value("build_id", "");
  }

  // A run with the plugin.
  static StreamContents noted_run(const std::string& plugin_options, std::vector<std::string> command) {
    auto argument = collect::qemu_plugin_argument(HAP_BINARY_DIR "/emulator-plugin/libhap-emulator.so",
                                                  folder_->file("hooks"), folder_->file("stream"));
    EXPECT_TRUE(argument);
    run_known_program(*lab_, {"-plugin", *argument + plugin_options}, false, std::move(command));
    return read_stream(folder_->file("stream"));
  }

  static void run_known_program(const lab::Lab& lab, std::vector<std::string> arguments, bool log,
                                std::vector<std::string> command) {
    const CancelToken cancel;
    lab::StartOptions options;
    options.arguments = std::move(arguments);
    auto machine = lab::start_machine(lab, options, cancel);
    ASSERT_GOOD(machine);
    auto program = read_file(HAP_KNOWN_PROGRAM);
    ASSERT_GOOD(program);
    ASSERT_GOOD(machine->call("write_file", {{"path", program_path}, {"mode", 0755}}, cancel,
                              std::chrono::minutes(1), *program));
    const auto log_items = [&](const std::string& items) {
      return machine->qmp().execute("human-monitor-command", {{"command-line", "log " + items}}, cancel);
    };
    if (log) {
      ASSERT_GOOD(log_items("exec,nochain"));
    }
    ASSERT_GOOD(machine->call("exec", {{"argv", command}}, cancel, std::chrono::minutes(5)));
    if (log) {
      ASSERT_GOOD(log_items("none"));
    }
    ASSERT_GOOD(machine->quit(cancel));
  }

  static void TearDownTestSuite() {
    folder_.reset();
    lab_.reset();
    functions_.reset();
  }

  void SetUp() override { ASSERT_FALSE(run_.hits.empty()); }

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
  static inline std::unique_ptr<lab::Lab> lab_;
  static inline std::unique_ptr<Functions> functions_;
  static inline std::string build_id_;  // of the kernel
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

// Intent: code that has no address of its own, since the compiler put it into its callers, is found by name
// through the resolver; so is what the kernel forbids to trace (noinstr).
TEST_F(Emulator, InlinedFunctionsAreKnownByName) {
  auto cache = cache_dir();
  ASSERT_GOOD(cache);
  auto index = Index::open(index_path(*cache, build_id_));
  ASSERT_GOOD(index);
  std::set<std::string> out_of_line;
  std::set<std::string> inlined;
  for (const auto& hit : run_.hits[1]) {
    const auto& actor = run_.actors[hit.actor];
    const auto block = run_.kernel_blocks.find(hit.block);
    if (block == run_.kernel_blocks.end() || actor.cause != stream::Cause::process) continue;
    if (run_.tasks[actor.task].comm != "known") continue;
    RangeResolution found;
    index->resolve_range(block->second.address, block->second.size, found);
    for (const auto id : found.functions) out_of_line.emplace(index->function(id).name);
    for (const auto id : found.inlined) inlined.emplace(index->function(id).name);
  }
  EXPECT_THAT(out_of_line, Contains("do_syscall_64"));  // noinstr
  EXPECT_THAT(out_of_line, Contains("entry_SYSCALL_64"));
  for (const char* name : {"do_syscall_x64", "syscall_enter_from_user_mode", "pipe_full", "get_current"}) {
    EXPECT_THAT(inlined, Contains(name));
    EXPECT_THAT(out_of_line, Not(Contains(name)));
  }
}

// Intent: the tests that the plugin writes into generated code let no first run of a block pass. The same
// program, 300 times over, looked at by tests and by calls alone.
TEST_F(Emulator, TestsBeforeBlocksSayWhatCallsSay) {
  const auto by_tests = noted_run("", {program_path, "300"});
  const auto by_calls = noted_run(",tests=off", {program_path, "300"});
  EXPECT_GT(by_tests.counters.at("block_tests"), 1000u);
  EXPECT_EQ(by_tests.counters.at("block_calls"), 0u);
  EXPECT_EQ(by_calls.counters.at("block_tests"), 0u);
  // By the byte: where the instruction budget ends, a block ends sooner.
  const auto code_of_program = [](const StreamContents& run) {
    std::set<std::pair<uint32_t, uint64_t>> code;  // window, address
    for (const auto& [window, hits] : run.hits) {
      for (const auto& hit : hits) {
        const auto& actor = run.actors.at(hit.actor);
        const auto found = run.kernel_blocks.find(hit.block);
        if (found == run.kernel_blocks.end() || actor.cause != stream::Cause::process) continue;
        if (run.tasks.at(actor.task).comm != "known") continue;
        const auto& block = found->second;
        for (uint32_t byte = 0; byte < block.size; ++byte) code.emplace(window, block.address + byte);
      }
    }
    return code;
  };
  const auto tested = code_of_program(by_tests);
  const auto called = code_of_program(by_calls);
  EXPECT_GT(tested.size(), 10000u);
  for (const auto& [window, address] : called) {
    EXPECT_TRUE(tested.contains({window, address}))
        << "only by calls: " << functions_->at(address) << " " << std::hex << address;
  }
  for (const auto& [window, address] : tested) {
    EXPECT_TRUE(called.contains({window, address}))
        << "only by tests: " << functions_->at(address) << " " << std::hex << address;
  }
  std::printf("%zu bytes of code by tests, %zu by calls\n", tested.size(), called.size());
}

// Intent: nor do they in any block of anybody, user code and interrupts included, with more actors in a
// window (40 children of the program) than tests have bits for. Each test is held against the block's mask as
// it runs.
TEST_F(Emulator, NoTestIsWrong) {
  const auto run = noted_run(",tests=check", {program_path, "300", "40"});
  std::set<uint32_t> actors;
  for (const auto& hit : run.hits.at(1)) actors.insert(hit.actor);
  EXPECT_GT(actors.size(), 64u);
  EXPECT_GT(run.counters.at("block_tests"), 1000u);
  EXPECT_EQ(run.counters.at("block_calls"), 0u);
  EXPECT_GT(run.counters.at("block_tests_checked"), 1000000u);
  EXPECT_EQ(run.counters.at("block_tests_wrong"), 0u);
  std::printf("%llu tests of blocks checked, %zu actors in a window\n",
              static_cast<unsigned long long>(run.counters.at("block_tests_checked")), actors.size());
}

// Intent: QEMU's own log of another run names the same kernel code. The differences are listed by cause, and
// there is none without one.
TEST_F(Emulator, QemusOwnLogOfAnotherRunSaysTheSame) {
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
  std::map<uint64_t, uint64_t> noted;  // begin and end of each run of instructions
  std::set<uint64_t> ends;
  for (const auto& [window, hits] : run_.hits) {
    for (const auto& hit : hits) {
      const auto block = run_.kernel_blocks.find(hit.block);
      if (block == run_.kernel_blocks.end()) continue;
      const uint64_t end = block->second.address + block->second.size;
      noted[block->second.address] = std::max(noted[block->second.address], end);
      ends.insert(end);
    }
  }
  ASSERT_GT(logged.size(), 300u);
  const auto inside_noted = [&](uint64_t address) {
    const auto after = noted.upper_bound(address);
    return after != noted.begin() && address < std::prev(after)->second;
  };

  std::map<std::string, size_t> causes;
  for (const uint64_t address : logged) {
    if (noted.count(address) != 0) continue;
    if (rewound.count(address) != 0) {
      ++causes["only logged: an instruction repeated after an access to a device"];
    } else if (inside_noted(address)) {
      ++causes["only logged: the rest of a block that the instruction budget ended"];
    } else {
      ADD_FAILURE() << "only QEMU's log has " << functions_->at(address) << " " << std::hex << address;
    }
  }
  for (const auto& [address, end] : noted) {
    if (logged.count(address) != 0) continue;
    if (ends.count(address) != 0) {
      ++causes["only noted: parts of blocks that the plugin cut"];
    } else {
      ADD_FAILURE() << "only the plugin has " << functions_->at(address) << " " << std::hex << address;
    }
  }
  std::printf("%zu kernel blocks in QEMU's log, %zu noted by the plugin in the other run\n", logged.size(),
              noted.size());
  for (const auto& [cause, count] : causes) std::printf("  %4zu %s\n", count, cause.c_str());
}

}  // namespace
}  // namespace hap::testing
