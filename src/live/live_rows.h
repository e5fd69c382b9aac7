// What a live measurement found, as rows of a recording.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/emulator/kallsyms.h"
#include "collect/live_collector.h"
#include "hap/recording.h"
#include "live/hit_book.h"
#include "live/scope_finder.h"

namespace hap::live {

struct Findings {
  const std::map<std::string, std::string>& meta;
  std::string_view collector;
  const ScopeFinder& scope;
  const HitBook& book;
  const std::vector<Window>& windows;
  const std::vector<collect::WindowSight>& sights;
  const collect::LiveStats& stats;
};

class LiveRows {
 public:
  // Looks threads up while they live; those known already are not looked up again.
  void note_threads(const std::vector<std::pair<pid_t, collect::ThreadClass>>& threads);
  void note_threads(const collect::LiveScope& scope);

  // Everything but finish(). Reads this machine's symbols, modules and conditions, as they are now.
  Status write(const Findings& findings, RecordingWriter& writer) const;

 private:
  struct SeenThread {
    Task task;
    collect::ThreadClass thread_class;
  };
  Status write_identity(const Findings& findings, RecordingWriter& writer) const;
  Status write_losses(const Findings& findings, const collect::Kallsyms& symbols,
                      RecordingWriter& writer) const;

  void note_thread(pid_t tid, collect::ThreadClass thread_class);

  std::map<std::pair<pid_t, uint64_t>, SeenThread> threads_;  // by id and start
  std::set<std::pair<pid_t, collect::ThreadClass>> looked_up_;
};

}  // namespace hap::live
