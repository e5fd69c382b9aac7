// A profile made to measure: what stands in it, and what it takes away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstring>
#include <nlohmann/json.hpp>

#include "report/seccomp_advice.h"
#include "sample_cell.h"

namespace hap::report {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

measure::NeededSyscalls needed() {
  measure::NeededSyscalls needed;
  needed.service = {{SYS_read, {"redis-server"}}, {SYS_socket, {"redis-server", "bio_aof"}}};
  return needed;
}

// A filter that permits read and socket (whatever their arguments), clone for some arguments, mount, and
// nothing else.
std::string program() {
  const sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  std::string bytes(sizeof filter, '\0');
  std::memcpy(bytes.data(), filter, sizeof filter);
  return bytes;
}

TEST(SeccompProfile, IsWhatRuntimesTake) {
  const auto advice = advise_seccomp(needed(), {"kill"});
  ASSERT_TRUE(advice.ok());
  const auto profile = nlohmann::json::parse(render_profile(advice->names(), false));
  EXPECT_EQ(profile["defaultAction"], "SCMP_ACT_ERRNO");
  EXPECT_EQ(profile["defaultErrnoRet"], 38);
  EXPECT_THAT(profile["architectures"], ElementsAre("SCMP_ARCH_X86_64"));
  ASSERT_EQ(profile["syscalls"].size(), 1U);
  const auto& rule = profile["syscalls"][0];
  EXPECT_EQ(rule["action"], "SCMP_ACT_ALLOW");
  EXPECT_FALSE(rule.contains("args"));
  // The service's, the user's, the runtime's on its way to the service, and what nobody asks for.
  for (const char* name : {"read", "socket", "kill", "execve", "exit_group", "rt_sigreturn"}) {
    EXPECT_THAT(rule["names"], Contains(name));
  }
  EXPECT_THAT(rule["names"], Not(Contains("mount")));
  EXPECT_TRUE(std::is_sorted(rule["names"].begin(), rule["names"].end()));
}

TEST(SeccompProfile, ForAnAuditLogsInsteadOfRefusing) {
  const auto profile = nlohmann::json::parse(render_profile({"read"}, true));
  EXPECT_EQ(profile["defaultAction"], "SCMP_ACT_LOG");
  EXPECT_FALSE(profile.contains("defaultErrnoRet"));
}

TEST(SeccompProfile, AWrongNameIsTheUsersMistake) {
  const auto advice = advise_seccomp(needed(), {"raed"});
  ASSERT_FALSE(advice.ok());
  EXPECT_EQ(advice.error().kind(), ErrorKind::usage);
}

TEST(SeccompAdvice, SaysWhatIsTakenAwayAndWhatIsGiven) {
  auto advice = advise_seccomp(needed(), {});
  ASSERT_TRUE(advice.ok());
  advice->recordings = {"redis.hap"};
  testing_support::SampleCell cell;
  cell.hit(cell.function("vfs_read"), cell.actor(cell.task("redis", "/hap/cell", 100)));
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok());
  RecordingHeader header = profile->header();
  header.meta["sandbox"] = "docker-default";
  header.filters = {{100, "application", 0, program()}};
  const auto resolver = Resolver::open({}, {});
  ASSERT_TRUE(resolver.ok());
  ASSERT_TRUE(compare_with_filter(*advice, header, KernelReach(*profile, *resolver)).ok());
  EXPECT_THAT(advice->against, HasSubstr("docker-default"));
  EXPECT_THAT(advice->before.syscalls, ElementsAre("clone", "mount", "read"));
  EXPECT_THAT(advice->removed, ElementsAre("mount"));
  EXPECT_THAT(advice->widened, ElementsAre("clone"));
  EXPECT_THAT(advice->forbidden, Contains("socket"));
  // Without the kernel's symbols the code behind is unknown, not nothing.
  EXPECT_FALSE(advice->before.functions.has_value());
  const auto json = nlohmann::json::parse(render_json(*advice));
  EXPECT_EQ(json["schema"], "hapmeter.seccomp/1");
  EXPECT_TRUE(json["after"]["functions"].is_null());
  EXPECT_THAT(render_text(*advice), HasSubstr("unknown"));

  header.filters.clear();
  ASSERT_TRUE(compare_with_filter(*advice, header, KernelReach(*profile, *resolver)).ok());
  EXPECT_THAT(advice->against, HasSubstr("no filter"));
  EXPECT_GT(advice->removed.size(), 250U);
  EXPECT_TRUE(advice->widened.empty());
}

// Intent: without a filter nothing is known unless the processes were asked; then everything is permitted.
TEST(PermittedSurface, AProcessWithoutAFilterIsNotAnUnknownOne) {
  testing_support::SampleCell cell;
  cell.hit(cell.function("vfs_read"), cell.actor(cell.task("redis", "/hap/cell", 100)));
  const auto resolver = Resolver::open({}, {});
  ASSERT_TRUE(resolver.ok());
  const auto unknown = cell.profile();
  ASSERT_TRUE(unknown.ok());
  EXPECT_FALSE(permitted_surface(*unknown, *resolver));
  cell.meta["unfiltered_processes"] = "0";
  const auto none = cell.profile();
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(permitted_surface(*none, *resolver));
  cell.meta["unfiltered_processes"] = "1";
  const auto one = cell.profile();
  ASSERT_TRUE(one.ok());
  const auto permitted = permitted_surface(*one, *resolver);
  ASSERT_TRUE(permitted);
  EXPECT_TRUE(permitted->unfiltered);
  EXPECT_FALSE(permitted->syscalls) << "the kernel's symbols are missing";
  EXPECT_FALSE(permitted->hypercalls) << "no hypervisor";
}

TEST(SeccompAdvice, AFilterTheKernelWouldRefuseIsAnError) {
  auto advice = advise_seccomp(needed(), {});
  ASSERT_TRUE(advice.ok());
  RecordingHeader header;
  header.filters = {{100, "application", 0, "odd"}};
  testing_support::SampleCell cell;
  cell.hit(cell.function("vfs_read"), cell.actor(cell.task("redis", "/hap/cell", 100)));
  const auto profile = cell.profile();
  ASSERT_TRUE(profile.ok());
  const auto resolver = Resolver::open({}, {});
  ASSERT_TRUE(resolver.ok());
  EXPECT_FALSE(compare_with_filter(*advice, header, KernelReach(*profile, *resolver)).ok());
}

}  // namespace
}  // namespace hap::report
