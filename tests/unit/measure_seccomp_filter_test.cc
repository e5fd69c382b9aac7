// Seccomp filters evaluated as the kernel would: against filters that libseccomp compiled, and against the
// kernel itself.
#include "measure/seccomp_filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

namespace hap::measure {
namespace {

constexpr uint32_t x86_64 = AUDIT_ARCH_X86_64;

// The BPF that libseccomp makes of what `fill` adds.
template <typename Fill>
FilterProgram compiled(uint32_t default_action, Fill fill) {
  scmp_filter_ctx context = seccomp_init(default_action);
  fill(context);
  FILE* file = std::tmpfile();
  EXPECT_EQ(seccomp_export_bpf(context, ::fileno(file)), 0);
  seccomp_release(context);
  std::rewind(file);
  std::string bytes(1 << 16, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  std::fclose(file);
  auto program = parse_filter(std::as_bytes(std::span(bytes.data(), bytes.size())));
  EXPECT_TRUE(program.ok());
  return *program;
}

Permission permission(const FilterProgram& program, long number) {
  const auto result = evaluate(program, static_cast<uint32_t>(number), x86_64);
  EXPECT_TRUE(result.ok()) << result.error().to_string();
  return result.ok() ? *result : Permission::denied;
}

FilterProgram example() {
  return compiled(SCMP_ACT_ERRNO(EPERM), [](scmp_filter_ctx context) {
    for (const int number : {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(exit_group), SCMP_SYS(getppid)}) {
      seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
    }
    seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, 1));
    seccomp_rule_add(context, SCMP_ACT_KILL_PROCESS, SCMP_SYS(ptrace), 0);
  });
}

TEST(SeccompFilter, TellsAllowedConditionalAndDeniedApart) {
  const auto program = example();
  EXPECT_EQ(permission(program, __NR_read), Permission::allowed);
  EXPECT_EQ(permission(program, __NR_socket), Permission::conditional);
  EXPECT_EQ(permission(program, __NR_ptrace), Permission::denied);
  EXPECT_EQ(permission(program, __NR_mount), Permission::denied);
  EXPECT_EQ(*evaluate(program, __NR_read, AUDIT_ARCH_I386), Permission::denied) << "a foreign architecture";
}

TEST(SeccompFilter, TheStrictestOfSeveralFiltersCounts) {
  const auto wide = compiled(SCMP_ACT_ALLOW, [](scmp_filter_ctx context) {
    seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(write), 0);
  });
  const std::vector<FilterProgram> both = {example(), wide};
  EXPECT_EQ(*evaluate_all(both, __NR_write, x86_64), Permission::denied);
  EXPECT_EQ(*evaluate_all(both, __NR_read, x86_64), Permission::allowed);
  EXPECT_EQ(*evaluate_all(both, __NR_socket, x86_64), Permission::conditional);
  EXPECT_EQ(*evaluate_all({}, __NR_mount, x86_64), Permission::allowed)
      << "no filter lets everything through";
}

// Intent: the kernel agrees. The filter is loaded in a child, which tries calls without side effects.
TEST(SeccompFilter, AgreesWithTheKernel) {
  const auto program = compiled(SCMP_ACT_ALLOW, [](scmp_filter_ctx context) {
    seccomp_rule_add(context, SCMP_ACT_ERRNO(EXDEV), SCMP_SYS(getppid), 0);
    seccomp_rule_add(context, SCMP_ACT_ERRNO(EXDEV), SCMP_SYS(getuid), 0);
    seccomp_rule_add(context, SCMP_ACT_ERRNO(EXDEV), SCMP_SYS(getpriority), 1, SCMP_A0(SCMP_CMP_EQ, 2));
  });
  const long numbers[] = {__NR_getppid, __NR_getuid, __NR_getgid, __NR_getpgrp, __NR_geteuid, __NR_gettid};
  const pid_t child = ::fork();
  if (child == 0) {
    sock_fprog loaded{static_cast<unsigned short>(program.size()),
                      const_cast<sock_filter*>(reinterpret_cast<const sock_filter*>(program.data()))};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) != 0) {
      ::_exit(99);
    }
    for (int i = 0; i < 6; ++i) {
      errno = 0;
      const bool refused = ::syscall(numbers[i]) == -1 && errno == EXDEV;
      const bool predicted =
          *evaluate(program, static_cast<uint32_t>(numbers[i]), x86_64) == Permission::denied;
      if (refused != predicted) ::_exit(i + 1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(permission(program, __NR_getpriority), Permission::conditional);
}

TEST(SeccompFilter, HostileProgramsAreRefused) {
  EXPECT_FALSE(parse_filter({}).ok());
  EXPECT_FALSE(parse_filter(std::as_bytes(std::span("1234567", 7))).ok());
  EXPECT_FALSE(evaluate({{BPF_JMP | BPF_JA, 0, 0, 0xfffffff0}}, 0, x86_64).ok());
  EXPECT_FALSE(evaluate({{BPF_LD | BPF_MEM, 0, 0, 99}}, 0, x86_64).ok());
  EXPECT_FALSE(evaluate({{BPF_LD | BPF_W | BPF_ABS, 0, 0, 4096}}, 0, x86_64).ok());
  EXPECT_FALSE(evaluate({{BPF_ST, 0, 0, 16}}, 0, x86_64).ok());
}

}  // namespace
}  // namespace hap::measure
