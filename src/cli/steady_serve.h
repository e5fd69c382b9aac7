// `hap measure --until steady`: decides after each window of the serve phase whether to go on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/progress.h"
#include "collect/emulator/kallsyms.h"
#include "collect/emulator/stream_follower.h"
#include "hap/completeness.h"

namespace hap::cli {

// Follows the collector's stream and counts the functions of the HAP, window by window: host kernel code run
// in task context for the tasks of the cell. The functions are those of the kernel's symbol table; the report
// counts by debug information, which may differ by a few.
class SteadyServe {
 public:
  // `continue_to`: once the verdict is there, go on to this many times the length (1: stop), so that what was
  // said can be checked.
  SteadyServe(collect::Kallsyms symbols, std::string stream_path, const SteadyRule& rule, double continue_to);

  // The agent says that window `number` has ended. True: serve another one.
  // Errors: `corrupt` when the stream is damaged or has no such window.
  Result<bool> window_ended(uint64_t number, Progress& progress);

  // For the recording's meta: until, steady_verdict (steady, cap), steady_windows, and what was foretold then
  // for four times the length: steady_functions, steady_growth, steady_growth_low, steady_growth_high.
  std::map<std::string, std::string> facts() const;

 private:
  Status decide(const std::vector<uint64_t>& addresses);

  collect::Kallsyms symbols_;
  collect::StreamFollower follower_;
  SteadyWatch watch_;
  double continue_to_;
  uint32_t windows_ = 0;
  uint64_t last_number_ = 0;  // of the last window the follower has told of
  std::optional<uint32_t> stop_at_;
  std::map<std::string, std::string> facts_;
};

}  // namespace hap::cli
