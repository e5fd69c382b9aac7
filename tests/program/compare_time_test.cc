// Comparing 200 recordings takes at most 2 s, also when this user's cache has seen none of them.
//
// Processor time is what is asserted: it does not depend on what else the machine is doing, and on an idle
// one the wall time is not longer.
#include <fmt/format.h>
#include <sys/resource.h>

#include <fstream>
#include <sstream>

#include "cli/recording_summary.h"
#include "hap/recording.h"
#include "hap/resolver.h"
#include "program/hap_program.h"

namespace hap::testing {
namespace {
namespace fs = std::filesystem;

constexpr int kSandboxes = 10;
constexpr int kWorkloads = 4;
constexpr int kBoots = 5;
constexpr int kFewest = 1500;  // functions that a sandbox exercises at least
constexpr int kMore = 100;     // that each has more than the one before it
constexpr int kFunctions = kFewest + kMore * kSandboxes + kWorkloads;
constexpr double kMostSeconds = 2;

double children_seconds() {
  struct rusage usage {};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class CompareTime : public ScratchTest {
 protected:
  void SetUp() override {
    ScratchTest::SetUp();
    fs::create_directories(recordings());
    fs::create_directories(scratch("cache/index"));
    make_kernel();
    if (HasFatalFailure()) return;
    ::setenv("HAP_CACHE_DIR", scratch("cache").c_str(), 1);
    for (int sandbox = 0; sandbox < kSandboxes; ++sandbox) {
      for (int workload = 0; workload < kWorkloads; ++workload) {
        for (int boot = 0; boot < kBoots; ++boot) record(sandbox, workload, boot);
      }
    }
  }
  void TearDown() override { ::unsetenv("HAP_CACHE_DIR"); }

  std::string recordings() const { return scratch("recordings"); }

  // A "kernel" of small functions in 300 files, and its index.
  void make_kernel() {
    std::ostringstream source;
    source << "volatile int sink;\n";
    for (int i = 0; i < kFunctions; ++i) {
      source << fmt::format("#line {} \"net/core/file_{}.c\"\n", 10 + 20 * (i / 300), i % 300)
             << fmt::format("void function_{}(int x)\n{{\n\tif (x)\n\t\tsink = x;\n\tsink += {};\n}}\n", i,
                            i);
    }
    source << "void _start(void) { function_0(sink); }\n";
    std::ofstream(scratch("kernel.c")) << source.str();
    SpawnOptions gcc;
    gcc.working_dir = scratch("");
    gcc.argv = {"gcc",           "-g", "-O1",     "-static",        "-no-pie",
                "-nostdlib",     "-o", "vmlinux", "-ffreestanding", "kernel.c",
                "-Wl,--build-id"};
    const auto compiled = run_checked(gcc);
    ASSERT_TRUE(compiled.ok()) << compiled.error().to_string();
    const auto build_id = read_build_id(scratch("vmlinux"));
    ASSERT_TRUE(build_id.ok());
    build_id_ = *build_id;
    ElfInputs inputs;
    inputs.elf = scratch("vmlinux");
    inputs.kind = ImageKind::kernel;
    const auto built = build_index(inputs, index_path(scratch("cache"), build_id_), {});
    ASSERT_TRUE(built.ok()) << built.error().to_string();
    const auto index = Index::open(index_path(scratch("cache"), build_id_));
    ASSERT_TRUE(index.ok());
    for (int i = 0; i < kFunctions; ++i) {
      const auto found = index->find_functions("function_" + std::to_string(i));
      ASSERT_EQ(found.size(), 1U) << i;
      code_.push_back(index->ranges(found[0]).at(0));
    }
  }

  void record(int sandbox, int workload, int boot) const {
    const std::string path = fmt::format("{}/{}.{}.{}.hap", recordings(), sandbox, workload, boot);
    const auto written = write(path, sandbox, workload, boot);
    ASSERT_TRUE(written.ok()) << written.error().to_string();
    const auto attached = cli::attach_summary(path);  // as `hap measure` ends
    ASSERT_TRUE(attached.ok()) << attached.error().to_string();
  }

  Status write(const std::string& path, int sandbox, int workload, int boot) const {
    HAP_TRY(out, RecordingWriter::create(path));
    const std::map<std::string, std::string> meta = {{"sandbox", fmt::format("sandbox-{}", sandbox)},
                                                     {"workload", fmt::format("workload-{}", workload)},
                                                     {"boot", std::to_string(boot % 3)},
                                                     {"repeat", std::to_string(boot)},
                                                     {"collector", "emulator"},
                                                     {"granularity", "block"},
                                                     {"kernel_release", "6.12.0"},
                                                     {"kernel_build_id", build_id_},
                                                     {"requests", "300"},
                                                     {"requests_failed", "0"},
                                                     {"context_switches", "12345"},
                                                     {"marks_paired", "1"}};
    for (const auto& [key, value] : meta) HAP_CHECK(out.set_meta(key, value));
    Image kernel;
    kernel.id = 1;
    kernel.path = "vmlinux";
    kernel.build_id = build_id_;
    HAP_CHECK(out.add(kernel));
    Task task;
    task.id = 1;
    task.pid = task.tgid = 100;
    task.comm = "redis-server";
    task.cgroup = "/hap/cell";
    HAP_CHECK(out.add(task));
    HAP_CHECK(out.add(Actor{1, 1, Cause::process, OwnerKind::none, 0, ""}));
    HAP_CHECK(out.add(ScopeRule{"cgroup", "/hap/cell", "application"}));
    std::vector<uint32_t> serve;
    for (uint32_t id = 1; id <= 12; ++id) {
      const Phase phase = id == 1 ? Phase::setup : id == 12 ? Phase::teardown : Phase::serve;
      HAP_CHECK(out.add(Window{id, phase, 100 * id, 100 * id + 100, phase == Phase::serve ? 30U : 0U}));
      if (phase == Phase::serve) serve.push_back(id);
    }
    const int hit = kFewest + kMore * sandbox + workload;
    for (int i = 0; i < hit; ++i) {
      const auto id = static_cast<uint32_t>(i + 1);
      const CodeRange& code = code_[static_cast<size_t>(i)];
      HAP_CHECK(out.add(Block{id, 1, code.begin, static_cast<uint32_t>(code.end - code.begin), 0}));
      // Every seventh ran in one window only, and in some repeats not at all.
      if (i % 7 == 0 && (i + boot) % 3 == 0) continue;
      HAP_CHECK(out.add(Hit{id, 1, i % 7 == 0 ? std::vector<uint32_t>{2U + id % 10} : serve}));
    }
    return out.finish();
  }

  // With the symbols, and nothing that was found out about these recordings.
  std::map<std::string, std::string> new_cache(const std::string& name) const {
    fs::create_directories(scratch(name));
    fs::copy(scratch("cache/index"), scratch(name) + "/index");
    return {{"HAP_CACHE_DIR", scratch(name)}, {"XDG_DATA_HOME", scratch("data")}};
  }

  std::string build_id_;
  std::vector<CodeRange> code_;
};

TEST_F(CompareTime, TwoHundredRecordingsThatWereNeverComparedTakeTwoSeconds) {
  if (HasFatalFailure()) return;
  const auto cache = new_cache("cold");
  const double before = children_seconds();
  const auto first = hap({"compare", recordings(), "--format", "json"}, cache);
  const double seconds = children_seconds() - before;
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_LE(seconds, kMostSeconds);
  RecordProperty("seconds", fmt::format("{:.2f}", seconds));
  ASSERT_EQ(first.json()["workloads"].size(), size_t{kWorkloads});
  ASSERT_EQ(first.json()["workloads"][0]["pairs"].size(), size_t{kSandboxes * (kSandboxes - 1) / 2});

  // The summaries that came with them say what an analysis of every one says.
  const auto fresh = hap({"compare", recordings(), "--format", "json", "--fresh"}, new_cache("fresh"));
  ASSERT_EQ(fresh.exit_code, 0) << fresh.err;
  EXPECT_EQ(first.out, fresh.out);
}

}  // namespace
}  // namespace hap::testing
