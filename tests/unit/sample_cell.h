// A small measured cell for tests of the analysis side: a "kernel" and a user program compiled here, with
// known functions and lines, and a recording about them that each test writes as it needs.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/subprocess.h"
#include "base/temp_dir.h"
#include "hap/profile.h"
#include "hap/recording.h"
#include "hap/resolver.h"

namespace hap::testing_support {

namespace fs = std::filesystem;

// Sources of the sample kernel. Function names and lines are what the tests assert.
inline const std::map<std::string, std::string>& sample_sources() {
  static const std::map<std::string, std::string> sources = {
      {"include/linux/sample.h",
       "static inline __attribute__((always_inline)) int twice(int x)\n"  // line 1
       "{\n"
       "\treturn x * 2 + (x & 7);\n"  // line 3
       "}\n"
       "int vfs_read(int x);\n"
       "int tcp_sendmsg(int x);\n"
       "int tcp_ack(int x);\n"
       "int kvm_exit(int x);\n"
       "extern volatile int sink;\n"},
      {"fs/read_write.c",
       "#include \"../include/linux/sample.h\"\n"
       "volatile int sink;\n"
       "int vfs_read(int x)\n"  // line 3
       "{\n"
       "\tif (x > 3)\n"
       "\t\tsink = twice(x);\n"
       "\telse\n"
       "\t\tsink = x - 1;\n"
       "\treturn sink;\n"
       "}\n"},  // line 10: 8 lines
      {"net/ipv4/tcp.c",
       "#include \"../../include/linux/sample.h\"\n"
       "int tcp_sendmsg(int x)\n"  // line 2
       "{\n"
       "\tsink = twice(x);\n"
       "\treturn sink + 1;\n"
       "}\n"  // line 6: 5 lines
       "int tcp_ack(int x)\n"
       "{\n"
       "\tsink = x;\n"
       "\treturn sink;\n"
       "}\n"},
      {"virt/kvm/kvm_main.c",
       "#include \"../../include/linux/sample.h\"\n"
       "int kvm_exit(int x)\n"
       "{\n"
       "\tsink = x + 40;\n"
       "\treturn sink;\n"
       "}\n"
       "void _start(void) { sink = vfs_read(sink) + tcp_sendmsg(1) + tcp_ack(2) + kvm_exit(3); }\n"},
  };
  return sources;
}

// Compiled and indexed once per test program.
class SampleImages {
 public:
  static const SampleImages& get() {
    static const SampleImages images;
    return images;
  }

  std::string cache() const { return dir_->path(); }
  std::string root() const { return dir_->file("src"); }
  const std::string& kernel_build_id() const { return kernel_; }

  // The machine code of a function, as one range.
  CodeRange range(const std::string& name) const {
    const auto index = Index::open(index_path(cache(), kernel_));
    if (!index) return {};
    const auto found = index->find_functions(name);
    if (found.empty() || index->ranges(found[0]).empty()) return {};
    return index->ranges(found[0]).front();
  }

 private:
  SampleImages() {
    auto dir = TempDir::create(::testing::TempDir());
    if (!dir) return;
    dir_ = std::make_unique<TempDir>(std::move(*dir));
    std::vector<std::string> objects;
    SpawnOptions gcc;
    gcc.working_dir = root();
    gcc.argv = {"gcc",
                "-g",
                "-O1",
                "-fno-inline-functions",
                "-ffreestanding",
                "-fcf-protection=none",
                "-nostdlib",
                "-static",
                "-no-pie",
                "-Wl,--build-id",
                "-fno-stack-protector",
                "-o",
                "vmlinux"};
    for (const auto& [name, text] : sample_sources()) {
      const auto path = root() + "/" + name;
      (void)make_dirs(fs::path(path).parent_path().string());
      (void)write_file_atomic(path, text);
      if (name.size() > 2 && name.substr(name.size() - 2) == ".c") gcc.argv.push_back(name);
    }
    const auto compiled = run_checked(gcc);
    EXPECT_TRUE(compiled.ok()) << (compiled.ok() ? "" : compiled.error().to_string());
    const auto build_id = read_build_id(root() + "/vmlinux");
    if (!build_id) return;
    kernel_ = *build_id;
    ElfInputs inputs;
    inputs.elf = root() + "/vmlinux";
    inputs.kind = ImageKind::kernel;
    const auto built = build_index(inputs, index_path(cache(), kernel_));
    EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().to_string());
  }

  std::unique_ptr<TempDir> dir_;
  std::string kernel_;
};

// Writes a recording piece by piece. Image 1 is the sample kernel; windows 1 (setup), 2..5 (serve), 6
// (teardown).
class SampleCell {
 public:
  SampleCell() {
    auto dir = TempDir::create(::testing::TempDir());
    EXPECT_TRUE(dir.ok());
    dir_ = std::make_unique<TempDir>(std::move(*dir));
    meta = {{"sandbox", "docker-default"},
            {"workload", "redis-set"},
            {"collector", "emulator"},
            {"granularity", "block"},
            {"kernel_release", "6.12.0"},
            {"requests", "300"},
            {"requests_failed", "0"},
            {"context_switches", "12345"},
            {"marks_paired", "1"},
            {"tool_version", "0.1.0"},
            {"created", "2026-11-22T12:00:00Z"},
            {"boot", "b1"},
            {"profile", "published"},
            {"kernel_build_id", SampleImages::get().kernel_build_id()}};
    Image kernel;
    kernel.id = 1;
    kernel.kind = ImageKind::kernel;
    kernel.path = "vmlinux";
    kernel.build_id = SampleImages::get().kernel_build_id();
    images.push_back(kernel);
    windows = {{1, Phase::setup, 0, 100, 0},    {2, Phase::serve, 100, 200, 75},
               {3, Phase::serve, 200, 300, 75}, {4, Phase::serve, 300, 400, 75},
               {5, Phase::serve, 400, 500, 75}, {6, Phase::teardown, 500, 600, 0}};
    scope = {{"cgroup", "/hap/cell", "application"}};
  }

  uint32_t image(ImageKind kind, Space space, const std::string& path, const std::string& build_id = "") {
    Image image;
    image.id = static_cast<uint32_t>(images.size() + 1);
    image.kind = kind;
    image.space = space;
    image.path = path;
    image.build_id = build_id;
    images.push_back(image);
    return image.id;
  }

  uint32_t task(const std::string& comm, const std::string& cgroup, int32_t pid, int32_t ppid = 1,
                bool kernel_thread = false) {
    Task task;
    task.id = static_cast<uint32_t>(tasks.size() + 1);
    task.comm = comm;
    task.cgroup = cgroup;
    task.pid = task.tgid = pid;
    task.ppid = ppid;
    task.start_ns = static_cast<uint64_t>(pid) * 10;
    task.kernel_thread = kernel_thread;
    tasks.push_back(task);
    return task.id;
  }

  uint32_t actor(uint32_t task, Cause cause = Cause::process, OwnerKind owner_kind = OwnerKind::none,
                 uint32_t owner_task = 0, const std::string& owner_name = "") {
    const auto id = static_cast<uint32_t>(actors.size() + 1);
    actors.push_back({id, task, cause, owner_kind, owner_task, owner_name});
    return id;
  }

  uint32_t block(uint32_t image_id, uint64_t address, uint32_t size) {
    const auto id = static_cast<uint32_t>(blocks.size() + 1);
    blocks.push_back({id, image_id, address, size, 0});
    return id;
  }

  // The whole code of a kernel function as one block; the same block every time.
  uint32_t function(const std::string& name) {
    const auto [entry, added] = functions_.try_emplace(name, 0);
    if (added) {
      const auto range = SampleImages::get().range(name);
      EXPECT_GT(range.end, range.begin) << name;
      entry->second = block(1, range.begin, static_cast<uint32_t>(range.end - range.begin));
    }
    return entry->second;
  }

  void hit(uint32_t block_id, uint32_t actor_id, std::vector<uint32_t> in = {2, 3, 4, 5}) {
    hits.push_back({block_id, actor_id, std::move(in)});
  }

  std::string path() const { return dir_->file("cell.hap"); }

  Status write(const std::string& to) const {
    HAP_TRY(out, RecordingWriter::create(to));
    for (const auto& [key, value] : meta) HAP_CHECK(out.set_meta(key, value));
    for (const auto& [key, value] : conditions) HAP_CHECK(out.set_condition(key, value));
    for (const auto& each : images) HAP_CHECK(out.add(each));
    for (const auto& each : tasks) HAP_CHECK(out.add(each));
    for (const auto& each : actors) HAP_CHECK(out.add(each));
    for (const auto& each : windows) HAP_CHECK(out.add(each));
    for (const auto& each : blocks) HAP_CHECK(out.add(each));
    for (const auto& each : hits) HAP_CHECK(out.add(each));
    for (const auto& each : scope) HAP_CHECK(out.add(each));
    for (const auto& each : syscalls) HAP_CHECK(out.add(each));
    for (const auto& each : losses) HAP_CHECK(out.add(each));
    return out.finish();
  }

  static ResolverOptions resolver_options() {
    ResolverOptions options;
    options.cache = SampleImages::get().cache();
    options.build_missing = false;
    return options;
  }

  Result<Profile> profile() const {
    HAP_CHECK(write(path()));
    HAP_TRY(recording, Recording::open(path()));
    std::vector<ImageRef> refs;
    for (const auto& image : recording.header().images)
      refs.push_back({image.kind, image.build_id, image.path});
    HAP_TRY(resolver, Resolver::open(resolver_options(), refs));
    return Profile::build(recording, resolver);
  }

  std::map<std::string, std::string> meta, conditions;
  std::vector<Image> images;
  std::vector<Task> tasks;
  std::vector<Actor> actors;
  std::vector<Window> windows;
  std::vector<Block> blocks;
  std::vector<Hit> hits;
  std::vector<ScopeRule> scope;
  std::vector<SyscallCount> syscalls;
  std::vector<Loss> losses;

 private:
  std::unique_ptr<TempDir> dir_;
  std::map<std::string, uint32_t> functions_;
};

// Names of functions, sorted.
inline std::vector<std::string> names_of(const Profile& profile, const std::vector<uint32_t>& ids) {
  std::vector<std::string> names;
  for (const uint32_t id : ids) names.push_back(profile.functions()[id].name);
  std::sort(names.begin(), names.end());
  return names;
}

inline std::vector<std::string> hap_functions(const Profile& profile, const HapOptions& options = {}) {
  return names_of(profile, profile.functions_hit(profile.select(
                               [&](const Account& account) { return counts_as_hap(account, options); })));
}

}  // namespace hap::testing_support
