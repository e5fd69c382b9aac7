// From a runtime's seccomp profile to the one in an OCI configuration.
#include <gtest/gtest.h>

#include "base/file.h"
#include "sandbox/oci_spec.h"
#include "sandbox/seccomp_profile.h"

namespace hap::sandbox {
namespace {

SeccompTarget docker_target() {
  SeccompTarget target;
  target.capabilities = {docker_capabilities().begin(), docker_capabilities().end()};
  target.kernel_major = 6;
  target.kernel_minor = 12;
  return target;
}

constexpr const char* profile = R"({
  "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
  "archMap": [
    {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
    {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
  "syscalls": [
    {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [], "includes": {}, "excludes": {}},
    {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "args": [], "includes": {"caps": ["CAP_SYS_ADMIN"]}},
    {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
    {"names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}},
    {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
    {"names": ["arm_sync_file_range"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}},
    {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
    {"names": ["future"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "7.1"}},
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}
  ]})";

// Names of the rules that allow.
std::set<std::string> allowed(const nlohmann::json& resolved) {
  std::set<std::string> names;
  for (const auto& rule : resolved.at("syscalls")) {
    if (rule.at("action") != "SCMP_ACT_ALLOW") continue;
    for (const auto& name : rule.at("names")) names.insert(name.get<std::string>());
  }
  return names;
}

TEST(Seccomp, KeepsWhatAppliesToCapabilitiesArchitectureAndKernel) {
  const auto resolved = resolve_seccomp(profile, docker_target());
  ASSERT_TRUE(resolved) << resolved.error().to_string();
  EXPECT_EQ(allowed(*resolved),
            (std::set<std::string>{"read", "chroot", "arch_prctl", "ptrace", "personality"}));
  EXPECT_EQ(resolved->at("architectures"),
            nlohmann::json({"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}));
  EXPECT_EQ(resolved->at("defaultErrnoRet"), 38);
}

TEST(Seccomp, GivesAContainerWithoutCapabilitiesLess) {
  SeccompTarget target = docker_target();
  target.capabilities.clear();
  const auto resolved = resolve_seccomp(profile, target);
  ASSERT_TRUE(resolved);
  EXPECT_EQ(allowed(*resolved).count("chroot"), 0U);
  EXPECT_EQ(allowed(*resolved).count("read"), 1U);
}

TEST(Seccomp, KeepsErrorNumbersAndArguments) {
  const auto resolved = resolve_seccomp(profile, docker_target());
  ASSERT_TRUE(resolved);
  bool errno_seen = false;
  bool argument_seen = false;
  for (const auto& rule : resolved->at("syscalls")) {
    if (rule.at("names")[0] == "bpf")
      errno_seen = rule.at("errnoRet") == 1 && rule.at("action") == "SCMP_ACT_ERRNO";
    if (rule.at("names")[0] == "personality") argument_seen = rule.at("args")[0].at("value") == 8;
    EXPECT_FALSE(rule.contains("includes"));
    EXPECT_FALSE(rule.contains("excludes"));
  }
  EXPECT_TRUE(errno_seen);
  EXPECT_TRUE(argument_seen);
}

TEST(Seccomp, LeavesAnOciProfileAsItIs) {
  const char* oci = R"({"defaultAction": "SCMP_ACT_KILL", "architectures": ["SCMP_ARCH_X86_64"],
                        "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}]})";
  const auto resolved = resolve_seccomp(oci, docker_target());
  ASSERT_TRUE(resolved);
  EXPECT_EQ(*resolved, nlohmann::json::parse(oci));
}

TEST(Seccomp, RefusesWhatIsNoProfile) {
  for (const char* text :
       {"", "[]", "{}", "{\"defaultAction\": 3}", "{\"defaultAction\": \"x\", \"syscalls\": [{}]}",
        "{\"defaultAction\": \"x\", \"syscalls\": [{\"names\": [\"a\"], \"action\": \"b\", "
        "\"includes\": {\"caps\": [1]}}]}"}) {
    const auto resolved = resolve_seccomp(text, docker_target());
    ASSERT_FALSE(resolved) << text;
    EXPECT_EQ(resolved.error().kind(), ErrorKind::corrupt);
  }
}

TEST(Seccomp, TheInstalledDefaultProfileAllowsAServerAndNoModules) {
  const auto text = read_file(default_seccomp_path);
  if (!text) GTEST_SKIP() << "golang-github-containers-common is not installed";
  const auto resolved = resolve_seccomp(*text, docker_target());
  ASSERT_TRUE(resolved) << resolved.error().to_string();
  const auto names = allowed(*resolved);
  for (const char* name : {"read", "epoll_wait", "accept4", "clone3", "futex"})
    EXPECT_EQ(names.count(name), 1U) << name;
  for (const char* name : {"init_module", "kexec_load", "bpf"}) EXPECT_EQ(names.count(name), 0U) << name;
}

}  // namespace
}  // namespace hap::sandbox
