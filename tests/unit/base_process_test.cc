// Processes that hap starts: their output, their errors, and that they never outlive their owner.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "base/subprocess.h"

namespace hap {
namespace {

using std::chrono::milliseconds;

SpawnOptions shell(const std::string& script) {
  SpawnOptions options;
  options.argv = {"sh", "-c", script};
  return options;
}

TEST(Subprocess, CapturesBothStreamsAndTheStatus) {
  const auto output = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_EQ(output->exit_code(), 3);
}

TEST(Subprocess, FeedsInputLargerThanAPipe) {
  const std::string input(1 << 20, 'x');
  SpawnOptions options;
  options.argv = {"wc", "-c"};
  const auto output = run(options, std::chrono::seconds(20), input);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(std::stoul(output->out), input.size());
}

TEST(Subprocess, ArgumentsAreNotInterpretedByAShell) {
  SpawnOptions options;
  options.argv = {"printf", "%s", "$(id); `id` 'x'"};
  const auto output = run(options);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->out, "$(id); `id` 'x'");
}

TEST(Subprocess, AMissingProgramIsAnErrorWithAHint) {
  SpawnOptions options;
  options.argv = {"hap-no-such-program"};
  const auto child = Subprocess::spawn(options);
  ASSERT_FALSE(child.ok());
  EXPECT_NE(child.error().message().find("hap-no-such-program"), std::string::npos);
  EXPECT_FALSE(child.error().hint().empty());
}

TEST(Subprocess, ATimeoutKillsTheWholeGroup) {
  const auto started = std::chrono::steady_clock::now();
  const auto output = run(shell("sleep 100 & sleep 100"), milliseconds(200));
  EXPECT_FALSE(output.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
}

TEST(Subprocess, AChildDiesWithAKilledParent) {
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    ::close(pipe_fds[0]);
    SpawnOptions options;
    options.argv = {"sleep", "100"};
    options.keep_fds = {pipe_fds[1]};
    auto child = Subprocess::spawn(options);
    ::raise(SIGKILL);
  }
  ::close(pipe_fds[1]);
  ::waitpid(parent, nullptr, 0);
  // The grandchild held the only other write end: end of file means that it is gone.
  char byte = 0;
  EXPECT_EQ(::read(pipe_fds[0], &byte, 1), 0);
  ::close(pipe_fds[0]);
}

TEST(Subprocess, CheckedRunCarriesTheLastWordsOfStandardError) {
  const auto output = run_checked(shell("echo 'no space' >&2; exit 1"));
  ASSERT_FALSE(output.ok());
  EXPECT_NE(output.error().message().find("no space"), std::string::npos);
}

}  // namespace
}  // namespace hap
