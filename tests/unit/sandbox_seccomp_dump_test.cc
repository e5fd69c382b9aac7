// Filters of a live process, in the order the header promises.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/seccomp_dump.h"

namespace hap::sandbox {
namespace {

// A child that installs one filter of one instruction, then one of two, says so, and waits.
class FilteredChild {
 public:
  FilteredChild() {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
      sock_filter two[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), allow};
      sock_fprog first{1, &allow};
      sock_fprog second{2, two};
      char answer = 'n';
      if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
          ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &first) == 0 &&
          ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &second) == 0) {
        answer = 'y';
      }
      if (::write(pipe_ends[1], &answer, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    char answer = 'n';
    filtered_ = ::read(pipe_ends[0], &answer, 1) == 1 && answer == 'y';
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
  }
  ~FilteredChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  bool filtered() const { return filtered_; }

 private:
  pid_t pid_ = -1;
  bool filtered_ = false;
};

TEST(SeccompDump, GivesTheNewestFilterFirst) {
  FilteredChild child;
  if (!child.filtered()) GTEST_SKIP() << "this machine lets no process install a seccomp filter";
  const auto programs = seccomp_filters(child.pid());
  if (!programs && programs.error().err() != 0) GTEST_SKIP() << programs.error().to_string();
  ASSERT_TRUE(programs);
  ASSERT_EQ(programs->size(), 2U);
  EXPECT_EQ((*programs)[0].size(), 2 * sizeof(sock_filter));
  EXPECT_EQ((*programs)[1].size(), sizeof(sock_filter));
  // It runs on.
  EXPECT_EQ(::kill(child.pid(), 0), 0);
}

TEST(SeccompDump, AProcessWithoutFiltersHasNone) {
  const auto programs = seccomp_filters(::getpid());
  ASSERT_TRUE(programs);
}

}  // namespace
}  // namespace hap::sandbox
