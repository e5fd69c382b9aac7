// The progress bar on a terminal and elsewhere.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/progress.h"
#include "base/unique_fd.h"

namespace hap {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::string drain(int fd) {
  std::string out;
  char buffer[4096];
  for (;;) {
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, 50) <= 0) return out;
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got <= 0) return out;
    out.append(buffer, static_cast<size_t>(got));
  }
}

// A terminal that writes what it is told, without turning line ends.
class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_.get() < 0 || ::grantpt(master_.get()) != 0 || ::unlockpt(master_.get()) != 0) return;
    slave_ = UniqueFd(::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY));
    termios mode{};
    ::tcgetattr(slave_.get(), &mode);
    mode.c_oflag = 0;
    ::tcsetattr(slave_.get(), TCSANOW, &mode);
  }
  bool there() const { return slave_.get() >= 0; }
  int fd() const { return slave_.get(); }
  std::string shown() const { return drain(master_.get()); }

 private:
  UniqueFd master_;
  UniqueFd slave_;
};

TEST(Progress, OnATerminalIsABarWithTheRemainingTime) {
  const Terminal terminal;
  if (!terminal.there()) GTEST_SKIP() << "no pseudo terminal can be opened here";
  const auto progress = make_stream_progress(terminal.fd());
  progress->step("importing records");
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  progress->advance(25, 100);
  const auto shown = terminal.shown();
  EXPECT_THAT(shown, HasSubstr("importing records [######..................]"));
  EXPECT_THAT(shown, ContainsRegex("25 %, [0-9]+ s left"));
  EXPECT_EQ(shown.find('\n'), std::string::npos) << "one line that is redrawn";
  progress->done();
  EXPECT_THAT(terminal.shown(), ContainsRegex("importing records \\([0-9.]+ s\\)\n"));
}

TEST(Progress, ElsewhereIsALineForEachStep) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const UniqueFd reading(pipe_ends[0]), writing(pipe_ends[1]);
  const auto progress = make_stream_progress(writing.get());
  progress->step("importing records");
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  progress->advance(25, 100);
  progress->note("skipped: line 7");
  progress->done();
  const auto shown = drain(reading.get());
  EXPECT_THAT(shown, ContainsRegex("^skipped: line 7\nimporting records \\([0-9.]+ s\\)\n$"));
}

TEST(Progress, ElsewhereLongStepsSayNowAndThenHowFarTheyAre) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const UniqueFd reading(pipe_ends[0]), writing(pipe_ends[1]);
  const auto progress = make_stream_progress(writing.get(), std::chrono::milliseconds(50));
  progress->step("measuring 200 cells");
  progress->advance(10, 200);  // too early
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  progress->advance(34, 200);
  progress->advance(35, 200);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  progress->advance(7, 0);
  progress->done();
  EXPECT_THAT(drain(reading.get()), ContainsRegex("^measuring 200 cells: 17 % \\([0-9]+ s\\)\n"
                                                  "measuring 200 cells: 7 \\([0-9]+ s\\)\n"
                                                  "measuring 200 cells \\([0-9.]+ s\\)\n$"));
}

TEST(Progress, NamesDoNothingToTheTerminal) {
  const Terminal terminal;
  if (!terminal.there()) GTEST_SKIP() << "no pseudo terminal can be opened here";
  const auto progress = make_stream_progress(terminal.fd());
  progress->step("importing evil\x1b[2J\n" + std::string(300, 'x'));
  progress->note("skipped: evil\x1b]0;t\x07");
  progress->done();
  const auto shown = terminal.shown();
  EXPECT_THAT(shown, HasSubstr("evil\\x1b[2J\\nxxx"));
  EXPECT_THAT(shown, HasSubstr("evil\\x1b]0;t\\x07"));
  EXPECT_THAT(shown, Not(HasSubstr(std::string(100, 'x')))) << "it must stay on one line";
}

}  // namespace
}  // namespace hap
