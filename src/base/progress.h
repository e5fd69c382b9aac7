// How long work reports progress without printing: stages call a Progress, the front end renders it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace hap {

class Progress {
 public:
  virtual ~Progress() = default;
  // A step starts ("building the image"); it ends when the next begins or `done` is called.
  virtual void step(const std::string& what) = 0;
  // Position within the step; total 0 means unknown.
  virtual void advance(uint64_t position, uint64_t total) = 0;
  // A remark that should stay visible.
  virtual void note(const std::string& text) = 0;
  virtual void done() = 0;
};

// Swallows everything.
class NoProgress : public Progress {
 public:
  void step(const std::string&) override {}
  void advance(uint64_t, uint64_t) override {}
  void note(const std::string&) override {}
  void done() override {}
};

// Writes to file descriptor `fd`: on a terminal one line that is redrawn, with a bar and the remaining time;
// elsewhere one line per finished step with its duration, and for a step that takes longer one per
// `interval`.
std::unique_ptr<Progress> make_stream_progress(int fd,
                                               std::chrono::milliseconds interval = std::chrono::minutes(1));

}  // namespace hap
