#include "base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/printable.h"

namespace hap {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class StreamProgress : public Progress {
 public:
  StreamProgress(int fd, std::chrono::milliseconds interval)
      : fd_(fd), terminal_(::isatty(fd) != 0), interval_(terminal_ ? redrawn_every : interval) {}
  ~StreamProgress() override { finish_step(); }

  void step(const std::string& what) override {
    finish_step();
    what_ = printable(what, 60);  // it stays on one line
    started_ = drawn_ = Clock::now();
    if (terminal_) write(fmt::format("\r\033[K{} ...", what_));
  }

  void advance(uint64_t position, uint64_t total) override {
    if (what_.empty() || Clock::now() - drawn_ < interval_) return;
    drawn_ = Clock::now();
    if (!terminal_) {
      const std::string where =
          total == 0
              ? std::to_string(position)
              : fmt::format("{:.0f} %", 100 * static_cast<double>(position) / static_cast<double>(total));
      write(fmt::format("{}: {} ({:.0f} s)\n", what_, where, seconds_since(started_)));
      return;
    }
    if (total == 0) {
      write(fmt::format("\r\033[K{} ... {} ({:.0f} s)", what_, position, seconds_since(started_)));
      return;
    }
    constexpr int width = 24;
    const double share = std::min(1.0, static_cast<double>(position) / static_cast<double>(total));
    const int filled = static_cast<int>(share * width);
    const double elapsed = seconds_since(started_);
    const std::string left = share > 0.02 ? fmt::format(", {:.0f} s left", elapsed / share - elapsed) : "";
    write(fmt::format("\r\033[K{} [{:#<{}}{:.<{}}] {:3.0f} %{}", what_, "", filled, "", width - filled,
                      share * 100, left));
  }

  void note(const std::string& text) override {
    write(fmt::format("{}{}\n", terminal_ ? "\r\033[K" : "", printable_lines(text)));
  }

  void done() override { finish_step(); }

 private:
  void finish_step() {
    if (what_.empty()) return;
    write(fmt::format("{}{} ({:.1f} s)\n", terminal_ ? "\r\033[K" : "", what_, seconds_since(started_)));
    what_.clear();
  }

  void write(const std::string& text) const {
    // Progress is a courtesy: a closed standard error must not fail the work.
    if (::write(fd_, text.data(), text.size()) < 0) return;
  }

  static constexpr std::chrono::milliseconds redrawn_every{100};

  int fd_;
  bool terminal_;
  std::chrono::milliseconds interval_;
  std::string what_;
  Clock::time_point started_;
  Clock::time_point drawn_;
};

}  // namespace

std::unique_ptr<Progress> make_stream_progress(int fd, std::chrono::milliseconds interval) {
  return std::make_unique<StreamProgress>(fd, interval);
}

}  // namespace hap
