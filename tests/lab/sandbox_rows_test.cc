// Every isolation technology serves its workload in the lab and is attributed as it must be. All cells come
// from one campaign with two machines side by side (about nine minutes on two otherwise idle processors).
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "base/digest.h"
#include "base/file.h"
#include "hap/recording.h"
#include "program/hap_program.h"

namespace hap::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

// What a cell's report must show.
struct Expected {
  std::string file;                // without .hap
  std::set<std::string> layers;    // that must have executed while serving
  std::set<std::string> contexts;  // the same
  bool stages = false;             // a VMM or Sentry stands between tenant and host
  bool filters = false;            // a seccomp filter was loaded
  double limit_s = 0;              // of the cell, on two otherwise idle processors; 0: none
};

const std::vector<Expected>& expectations() {
  const std::set<std::string> container = {"application", "host-kernel"};
  const std::set<std::string> sentry = {"application", "sandbox", "host-kernel"};
  // While serving, QEMU itself may have nothing to do: vhost moves the packets.
  const std::set<std::string> machine = {"application", "guest-kernel", "host-kernel"};
  const std::set<std::string> hypervisor = {"application", "guest-kernel", "host-kernel", "hypervisor"};
  const std::set<std::string> task = {"task"};
  const std::set<std::string> vcpu = {"vcpu"};
  static const std::vector<Expected> all = {
      {"bare.redis-set.b1.r1", container, task, false, false, 15},
      {"lxc.redis-set.b1.r1", container, task, false, true, 15},
      {"app-container.redis-set.b1.r1", container, task, false, true, 15},
      {"docker-default.redis-set.b1.r1", container, task, false, true, 15},
      {"docker-seccomp.redis-set.b1.r1", container, task, false, true, 0},
      {"gvisor-ptrace.redis-set.b1.r1", sentry, task, true, true, 30},
      {"gvisor-systrap.redis-set.b1.r1", sentry, task, true, true, 30},
      {"kvm-qemu.redis-set.b1.r1", machine, vcpu, true, true, 30},
      {"kvm-microvm.redis-set.b1.r1", machine, vcpu, true, true, 30},
      {"redis-get-gvisor.b1.r1", sentry, task, true, true, 30},
      {"node-systrap.b1.r1", sentry, task, true, true, 75},
      {"node-microvm.b1.r1", machine, vcpu, true, true, 75},
      {"node-app-container.b1.r1", container, task, false, true, 30},
      {"tornado-kvm.b1.r1", machine, vcpu, true, true, 75},
      {"tornado-lxc.b1.r1", container, task, false, true, 30},
      {"seccomp-redis-get.b1.r1", container, task, false, true, 0},
      {"seccomp-node.b1.r1", container, task, false, true, 0},
      {"seccomp-tornado.b1.r1", container, task, false, true, 0},
      {"seccomp-redis-get-crun.b1.r1", container, task, false, true, 0},
      {"seccomp-redis-get-podman.b1.r1", container, task, false, true, 0},
      {"seccomp-node-podman.b1.r1", container, task, false, true, 0},
      {"seccomp-tornado-crun.b1.r1", container, task, false, true, 0},
      {"seccomp-crun.b1.r1", container, task, false, true, 15},
      {"seccomp-podman.b1.r1", container, task, false, true, 0},
      {"default-crun.b1.r1", container, task, false, true, 15},
      {"default-podman.b1.r1", container, task, false, true, 0},
      {"kvm-without-vhost.b1.r1",
       {"application", "sandbox", "guest-kernel", "host-kernel"},
       vcpu,
       true,
       true,
       30},
      {"xen-pv.redis-set.b1.r1", hypervisor, vcpu, true, false, 30},
      {"node-xen.b1.r1", hypervisor, vcpu, true, false, 75},
      {"nginx.b1.r1", container, task, false, true, 0},
      {"postgresql.b1.r1", container, task, false, true, 0},
      {"postgresql-lxc.b1.r1", container, task, false, true, 0},
      {"archive.b1.r1", container, task, false, true, 0},
      {"image.b1.r1", sentry, task, true, true, 0},
  };
  return all;
}

constexpr const char* matrix = R"(
name = "rows"
profile = "fast"
parallel = 2
sandboxes = ["kvm-qemu", "docker-seccomp", "bare", "lxc", "app-container", "docker-default",
             "gvisor-ptrace", "gvisor-systrap", "kvm-microvm", "xen-pv"]
workloads = ["redis-set"]
)";

std::string cell(const std::string& label, const std::string& sandbox, const std::string& workload,
                 const std::string& options = "") {
  return "[[cell]]\nlabel = \"" + label + "\"\nsandbox = \"" + sandbox + "\"\nworkload = \"" + workload +
         "\"\noptions = [" + options + "]\n";
}

// A service out of a root file system of its own: busybox' web server.
std::string archive_workload(const std::string& name, const std::string& archive) {
  return "name = \"" + name + R"("
command = ["/bin/busybox", "httpd", "-f", "-p", "{address}:8080", "-h", "/www"]
port = 8080
root_archive = ")" +
         archive + R"("

[load]
http = "/"
expect = "from the archive"
)";
}

class SandboxRows : public ::testing::Test {
 protected:
  // Once for all suites of this file; the folder goes with the program.
  static void SetUpTestSuite() {
    if (dir_ != nullptr) return;
    auto dir = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(dir.ok());
    dir_ = std::make_unique<TempDir>(std::move(*dir));
    write_archives();
    std::ofstream(dir_->file("rows.toml")) << campaign();
    seen_ = hap({"campaign", dir_->file("rows.toml"), "-o", cells(), "--format", "json"}, {},
                std::chrono::seconds(1500));
  }

  static std::string cells() { return dir_->file("cells"); }
  static std::string recording(const std::string& name) { return cells() + "/" + name + ".hap"; }

  static std::string campaign() {
    const std::string examples = std::string(HAP_SOURCE_DIR) + "/examples/";
    return matrix + cell("tornado-kvm", "kvm-qemu", "python-tornado") +
           cell("node-xen", "xen-pv", "node-express") + cell("node-microvm", "kvm-microvm", "node-express") +
           cell("node-systrap", "gvisor-systrap", "node-express") +
           cell("seccomp-tornado", "docker-seccomp", "python-tornado", R"("--runtime", "podman")") +
           cell("seccomp-node", "docker-seccomp", "node-express", R"("--runtime", "crun")") +
           cell("tornado-lxc", "lxc", "python-tornado") +
           cell("node-app-container", "app-container", "node-express") +
           cell("redis-get-gvisor", "gvisor-systrap", "redis-get") +
           cell("seccomp-redis-get", "docker-seccomp", "redis-get") +
           cell("seccomp-redis-get-crun", "docker-seccomp", "redis-get", R"("--runtime", "crun")") +
           cell("seccomp-redis-get-podman", "docker-seccomp", "redis-get", R"("--runtime", "podman")") +
           cell("seccomp-node-podman", "docker-seccomp", "node-express", R"("--runtime", "podman")") +
           cell("seccomp-tornado-crun", "docker-seccomp", "python-tornado", R"("--runtime", "crun")") +
           cell("seccomp-crun", "docker-seccomp", "redis-set", R"("--runtime", "crun")") +
           cell("seccomp-podman", "docker-seccomp", "redis-set", R"("--runtime", "podman")") +
           cell("default-crun", "docker-default", "redis-set", R"("--runtime", "crun")") +
           cell("default-podman", "docker-default", "redis-set", R"("--runtime", "podman")") +
           cell("kvm-without-vhost", "kvm-qemu", "redis-set", R"("--no-vhost")") +
           cell("nginx", "docker-default", examples + "nginx.toml") +
           cell("postgresql", "docker-default", examples + "postgresql.toml") +
           cell("postgresql-lxc", "lxc", examples + "postgresql.toml") +
           cell("archive", "docker-default", dir_->file("archive.toml")) +
           cell("image", "gvisor-systrap", dir_->file("image.toml"));
  }

  static std::string packed(const std::string& folder, const std::string& archive) {
    SpawnOptions tar;
    tar.argv = {"tar", "-cf", dir_->file(archive), "-C", folder, "."};
    EXPECT_TRUE(run_checked(tar).ok());
    return dir_->file(archive);
  }

  // The same root as a plain archive and as an OCI image.
  static void write_archives() {
    const fs::path root = dir_->file("root");
    for (const char* folder : {"bin", "www", "tmp", "proc", "sys", "dev", "etc"})
      fs::create_directories(root / folder);
    const auto busybox = find_program("busybox");
    ASSERT_TRUE(busybox) << "the package busybox-static is missing";
    fs::copy_file(*busybox, root / "bin/busybox");
    std::ofstream(root / "www/index.html") << "from the archive\n";
    const std::string plain = packed(root, "root.tar");
    std::ofstream(dir_->file("archive.toml")) << archive_workload("archive", plain);

    const fs::path layout = dir_->file("layout");
    fs::create_directories(layout / "blobs/sha256");
    const auto add_blob = [&](const std::string& content) {
      const std::string digest = sha256_hex(content);
      std::ofstream(layout / "blobs/sha256" / digest) << content;
      return "sha256:" + digest;
    };
    const auto layer = read_file(plain, size_t{64} << 20);
    ASSERT_TRUE(layer.ok());
    const json manifest = {{"layers", json::array({{{"digest", add_blob(*layer)}}})}};
    const json index = {{"manifests", json::array({{{"digest", add_blob(manifest.dump())}}})}};
    std::ofstream(layout / "index.json") << index.dump();
    std::ofstream(layout / "oci-layout") << R"({"imageLayoutVersion": "1.0.0"})";
    std::ofstream(dir_->file("image.toml")) << archive_workload("image", packed(layout, "image.tar"));
  }

  static const json& report(const std::string& name) {
    auto& known = reports_[name];
    if (known.is_null()) {
      const auto shown = hap({"report", recording(name), "--format", "json"});
      EXPECT_EQ(shown.exit_code, 0) << name << ": " << shown.err;
      known = shown.json();
    }
    return known;
  }

  static std::set<std::string> names_in(const json& rows) {
    std::set<std::string> names;
    for (const auto& row : rows) names.insert(row.at("name").get<std::string>());
    return names;
  }

  static inline std::unique_ptr<TempDir> dir_;
  static inline Seen seen_;
  static inline std::map<std::string, json> reports_;
};

// Intent: no row fails, with every workload kind somewhere, and a row that fails would say why.
TEST_F(SandboxRows, AllServe) {
  const auto summary = seen_.json();
  ASSERT_TRUE(summary.is_object()) << seen_.out << seen_.err;
  for (const auto& row : summary.at("cells")) {
    EXPECT_EQ(row.at("state"), "measured") << row.dump();
    RecordProperty(row.at("file").get<std::string>(), row.value("seconds", 0.0));
    std::printf("%-36s %6.1f s\n", row.at("file").get<std::string>().c_str(), row.value("seconds", 0.0));
  }
  EXPECT_EQ(seen_.exit_code, 0);
}

// Intent: whose code ran is right in each technology, nothing is lost, and all guards pass (hap report
// refuses a recording with a failed one).
TEST_F(SandboxRows, AreAttributedAsTheyMustBe) {
  const int everything = report("bare.redis-set.b1.r1")["permitted"]["syscalls"].get<int>();
  EXPECT_GT(everything, 300);
  for (const auto& expected : expectations()) {
    SCOPED_TRACE(expected.file);
    const auto& shown = report(expected.file);
    ASSERT_TRUE(shown.is_object());
    EXPECT_GE(shown["served"]["requests"].get<int>(), 50);
    EXPECT_EQ(shown["served"]["failed"], 0);
    EXPECT_EQ(shown["loss"]["events_lost"], 0);
    EXPECT_GT(shown["hap"]["functions"]["value"].get<double>(), 100);
    EXPECT_EQ(shown["phases"].size(), 3U);
    EXPECT_THAT(names_in(shown["layers"]), IsSupersetOf(expected.layers));
    EXPECT_THAT(names_in(shown["contexts"]), IsSupersetOf(expected.contexts));
    EXPECT_EQ(shown["stage1"].is_object(), expected.stages);
    EXPECT_EQ(shown["stage2"].is_object(), expected.stages);
    const auto& permitted = shown["permitted"];
    ASSERT_TRUE(permitted.is_object());
    if (expected.layers.contains("hypervisor")) {
      EXPECT_TRUE(permitted["syscalls"].is_null()) << "a guest of Xen has none of the host's";
      EXPECT_GT(permitted["hypercalls"].get<int>(), 30);
      EXPECT_GT(permitted["hypercall_functions"].get<int>(), 1000);
      continue;
    }
    EXPECT_GT(permitted["functions"].get<int>(), 1000);
    // Without a filter everything is permitted; a filter takes something away.
    EXPECT_EQ(permitted["syscalls"].get<int>() < everything, expected.filters) << permitted;
  }
}

// Intent: what only the emulated processor needs, the walk of the guest's page tables for one, is told apart.
TEST_F(SandboxRows, SayWhatOnlyTheEmulatedProcessorNeeds) {
  for (const char* name : {"kvm-qemu.redis-set.b1.r1", "kvm-microvm.redis-set.b1.r1"}) {
    SCOPED_TRACE(name);
    const auto& shown = report(name);
    EXPECT_LT(shown["hap_without_emulation"]["functions"]["value"].get<double>(),
              shown["hap"]["functions"]["value"].get<double>());
    EXPECT_GT(shown["hap_without_emulation"]["functions"]["value"].get<double>(),
              0.9 * shown["hap"]["functions"]["value"].get<double>());
  }
  const auto& bare = report("bare.redis-set.b1.r1");
  EXPECT_EQ(bare["hap_without_emulation"]["functions"]["value"], bare["hap"]["functions"]["value"]);
}

// Intent: runtimes that are the same in the steady state differ in setup, and the report has both.
TEST_F(SandboxRows, DifferInSetup) {
  const auto setup = [&](const std::string& name) {
    for (const auto& phase : report(name)["phases"]) {
      if (phase["name"] == "setup") return phase["hap"]["functions"].get<double>();
    }
    return 0.0;
  };
  const double runc = setup("docker-default.redis-set.b1.r1");
  const double crun = setup("default-crun.b1.r1");
  EXPECT_GT(runc, 1000);
  EXPECT_GT(crun, 1000);
  EXPECT_GT(std::abs(runc - crun), 0.02 * runc);
}

// Intent: the tightened container permits less than the default one and exercises what it always did.
TEST_F(SandboxRows, ATightFilterPermitsLess) {
  const auto& usual = report("docker-default.redis-set.b1.r1");
  for (const char* name : {"docker-seccomp.redis-set.b1.r1", "seccomp-crun.b1.r1", "seccomp-podman.b1.r1",
                           "seccomp-redis-get.b1.r1", "seccomp-node.b1.r1", "seccomp-tornado.b1.r1",
                           "seccomp-redis-get-crun.b1.r1", "seccomp-redis-get-podman.b1.r1",
                           "seccomp-node-podman.b1.r1", "seccomp-tornado-crun.b1.r1"}) {
    SCOPED_TRACE(name);
    EXPECT_LT(report(name)["permitted"]["syscalls"].get<int>(),
              usual["permitted"]["syscalls"].get<int>() / 2);
    EXPECT_LT(report(name)["permitted"]["functions"].get<int>(), usual["permitted"]["functions"].get<int>());
  }
}

// Intent: `hap seccomp` on a recording of the campaign: a profile, its audit variant, and what it removes.
TEST_F(SandboxRows, GiveAProfile) {
  const auto profile = hap({"seccomp", recording("docker-default.redis-set.b1.r1")});
  ASSERT_EQ(profile.exit_code, 0) << profile.err;
  const auto names = profile.json()["syscalls"][0]["names"].get<std::vector<std::string>>();
  EXPECT_THAT(names, AllOf(Contains("epoll_wait"), Contains("execve"), Not(Contains("mount"))));
  const auto audit = hap({"seccomp", "--audit", recording("docker-default.redis-set.b1.r1")});
  EXPECT_EQ(audit.json()["defaultAction"], "SCMP_ACT_LOG");
  const auto advice = hap({"seccomp", "--format", "json", recording("docker-default.redis-set.b1.r1"),
                           recording("default-crun.b1.r1")})
                          .json();
  EXPECT_THAT(advice["removed"].get<std::vector<std::string>>(), Contains("mount"));
  EXPECT_LT(advice["after"]["functions"].get<int>(), advice["before"]["functions"].get<int>());
  const auto refused = hap({"seccomp", recording("kvm-qemu.redis-set.b1.r1")});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("no system calls"));
}

// Intent: conmon, podman and the runtime it calls are host daemons, not the tenant.
TEST_F(SandboxRows, AnEnginesOwnProcessesAreHostDaemons) {
  std::set<std::string> daemons;
  std::set<std::string> tenants;
  const auto recorded = Recording::open(recording("default-podman.b1.r1"));
  ASSERT_TRUE(recorded.ok());
  for (const auto& task : recorded->header().tasks) {
    if (task.cgroup.rfind("/hap/daemon", 0) == 0) daemons.insert(task.comm);
    if (task.cgroup.rfind("/hap/cell", 0) == 0) tenants.insert(task.comm);
  }
  EXPECT_THAT(daemons, IsSupersetOf({"podman", "conmon"}));
  EXPECT_THAT(tenants, AllOf(Contains("redis-server"), Not(Contains("conmon")), Not(Contains("podman"))));
}

// Intent: Xen, dom0 and the guest run at overlapping addresses; each has its own code on its account, and the
// back ends in dom0's kernel are in the scope.
TEST_F(SandboxRows, XenAndItsDomainsAreToldApart) {
  std::map<std::string, std::set<std::string>> layers;
  for (const auto& function : report("xen-pv.redis-set.b1.r1")["functions"])
    layers[function["layer"].get<std::string>()].insert(function["name"].get<std::string>());
  EXPECT_THAT(layers["hypervisor"],
              IsSupersetOf({"pv_hypercall", "do_grant_table_op", "do_event_channel_op"}));
  EXPECT_THAT(layers["host-kernel"], AllOf(Contains("xenvif_kthread_guest_rx"), Not(Contains("tcp_sendmsg")),
                                           Not(Contains("pv_hypercall"))));
  EXPECT_THAT(layers["guest-kernel"],
              AllOf(Contains("tcp_sendmsg"), Not(Contains("xenvif_kthread_guest_rx"))));
  const auto recorded = Recording::open(recording("xen-pv.redis-set.b1.r1"));
  ASSERT_TRUE(recorded.ok());
  EXPECT_TRUE(std::any_of(recorded->header().tasks.begin(), recorded->header().tasks.end(),
                          [](const auto& task) { return task.space == Space::guest; }))
      << "the guest's virtual processor is somebody";
  for (const auto& loss : recorded->header().losses) EXPECT_NE(loss.kind, "switch_mismatch") << loss.count;
}

class CellTimes : public SandboxRows, public ::testing::WithParamInterface<double> {};

// Intent: no cell takes more than so many times its limit.
TEST_P(CellTimes, AreWithinTheirLimits) {
  const auto summary = seen_.json();
  int checked = 0;
  for (const auto& row : summary.at("cells")) {
    for (const auto& expected : expectations()) {
      if (row.at("file") != expected.file + ".hap" || expected.limit_s == 0) continue;
      const double seconds = row.value("seconds", 0.0);
      std::printf("%-32s %6.1f s of %d\n", expected.file.c_str(), seconds,
                  static_cast<int>(expected.limit_s));
      EXPECT_LE(seconds, expected.limit_s * GetParam()) << expected.file;
      ++checked;
    }
  }
  EXPECT_GT(checked, 10);
}

// Two machines share two processors with the two programs that start them, and with whatever else runs
// there: six times finds what hangs.
INSTANTIATE_TEST_SUITE_P(Hang, CellTimes, ::testing::Values(6.0));
// The aims themselves, which hold with both processors to themselves (docs/reproduction.md): `./test long`.
INSTANTIATE_TEST_SUITE_P(Long, CellTimes, ::testing::Values(1.0));

}  // namespace
}  // namespace hap::testing
