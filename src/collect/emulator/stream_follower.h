// Follows the stream while the machine runs, so that a run may be ended once windows bring nothing new.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/unique_fd.h"
#include "collect/emulator/stream_reader.h"
#include "hap/recording.h"
#include "hap/result.h"

namespace hap::collect {

// What a finished window brought, of the blocks that count.
struct WindowSummary {
  uint32_t id = 0;
  Phase phase = Phase::serve;
  uint64_t number = 0;              // the agent's
  uint64_t blocks = 0;              // distinct ones in this window
  uint64_t new_blocks = 0;          // of them, seen in no earlier window of this phase
  uint64_t all_blocks = 0;          // seen in this phase so far
  std::vector<uint64_t> addresses;  // where the blocks of this window begin, ascending
};

class StreamFollower {
 public:
  // Says whether a block run by this actor counts, for example: kernel code run by a task of the sandbox. The
  // task is the one that the code ran for: of deferred work, the one that queued it.
  using Filter = std::function<bool(const StreamTask&, const StreamActor&, const StreamImage&)>;

  // The file may not be there yet. An empty filter counts everything.
  explicit StreamFollower(std::string path, Filter filter = {});

  // Reads what was written since; returns the windows that ended meanwhile.
  // Errors: `corrupt`, as the stream's reader says.
  Result<std::vector<WindowSummary>> poll();

 private:
  void take(const StreamRecord& record, std::vector<WindowSummary>& finished);
  bool counts(const StreamHit& hit);

  std::string path_;
  Filter filter_;
  UniqueFd file_;
  StreamReader reader_;
  std::vector<std::byte> pending_;  // read but not yet a whole chunk
  std::unordered_map<uint32_t, StreamImage> images_;
  std::unordered_map<uint32_t, StreamBlock> blocks_;
  std::unordered_map<uint32_t, StreamTask> tasks_;
  std::unordered_map<uint32_t, StreamActor> actors_;
  std::unordered_map<uint64_t, bool> decided_;  // (actor, image) -> counts
  std::unordered_set<uint32_t> seen_in_window_;
  std::unordered_set<uint32_t> seen_in_phase_;
  WindowSummary window_;
  uint8_t phase_ = 0;
};

}  // namespace hap::collect
