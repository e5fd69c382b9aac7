// A live measurement from its start to a finished recording.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "collect/live_collector.h"
#include "hap/recording.h"
#include "hap/result.h"
#include "live/held_command.h"
#include "live/scope_finder.h"

namespace hap::live {

struct RecordPlan {
  std::chrono::milliseconds window{0};
  std::optional<std::chrono::milliseconds> duration;  // nothing: until cancelled or the scope has ended
  std::string output;
  std::map<std::string, std::string> meta;  // tool_version, command, sandbox, workload, label, ...
  bool drop_privileges = true;
  // Called once everything is attached and the first window is open, and at the end of each window.
  std::function<void()> on_recording;
  std::function<void(uint32_t window, const collect::WindowSight& sight, uint64_t functions)> on_window;
};

struct RecordOutcome {
  uint32_t windows = 0;
  double seconds = 0;
  uint64_t functions = 0;
  uint64_t events_lost = 0;
  uint64_t missed_task = 0;
  std::optional<int> command_status;  // of the held command, when it has ended
};

// Runs until the plan's duration is over, `stop` is requested (which is no error), the scope or the command
// has ended. `command` may be null; it is released once the first window is open.
Result<RecordOutcome> record(const RecordPlan& plan, ScopeFinder& scope, collect::LiveCollector& collector,
                             HeldCommand* command, const CancelToken& stop);

}  // namespace hap::live
