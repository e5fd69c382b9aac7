// Turns the plugin's stream into rows of a recording, and refuses a stream that cannot be trusted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "collect/emulator/kernel_map.h"
#include "collect/emulator/xen_hooks.h"
#include "hap/recording.h"
#include "hap/result.h"

namespace hap::collect {

struct ImportOptions {
  KernelMap kernel;
  // The build id of a user-space file of the measured machine, of a guest's kernel or of the hypervisor; ""
  // when unknown. May be empty.
  std::function<std::string(const Image&)> build_id;
  // Adds what the stream cannot know of a window: its times and requests. The third argument is the number
  // the agent gave with its window mark (0: none). May be empty.
  std::function<void(Window&, uint64_t number)> complete_window;
  // Of the hypervisor beneath the machine, if there is one.
  XenText hypervisor = {};
};

struct StreamWindow {
  uint32_t id = 0;
  Phase phase = Phase::serve;
  uint64_t number = 0;      // the agent's
  uint32_t new_blocks = 0;  // not seen in any window before
};

struct StreamStats {
  std::vector<StreamWindow> windows;
  std::map<std::string, uint64_t> counters;  // the plugin's own, by the names of docs/emulator.md
  uint64_t hits = 0;                         // (block, actor) pairs
  std::vector<Loss> losses;                  // as added to the recording

  uint64_t counter(const std::string& name) const;
};

// Adds images, blocks, tasks, actors, windows, hits, system calls, losses and the meta values
// context_switches and marks_paired. Errors: `corrupt` when the stream is cut or damaged; `failed` when it is
// whole but worthless: no context switch or no interrupt was ever seen (hooks of another kernel), recording
// never began or never ended, marks do not pair.
Result<StreamStats> import_stream(const std::string& path, const ImportOptions& options,
                                  RecordingWriter& writer);

// The checks that need no recording; import_stream does them first.
Status check_trustworthy(const StreamStats& stats);

}  // namespace hap::collect
