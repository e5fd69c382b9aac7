// The seam of all sources of hits.
//
// To add a collector: implement this interface in src/collect/<name>/, say honestly in probe() what it needs,
// deliver raw facts to the RecordingWriter (never an interpretation of them), and account for everything that
// could have run unseen in stop(). docs/emulator.md is the recipe by example.
//
// A collector is started once and stopped once. It adds blocks, tasks, actors, windows, hits, system calls
// and losses; scope, conditions and most meta values are the caller's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hap/recording.h"
#include "hap/result.h"

namespace hap::collect {

struct Probe {
  bool usable = false;
  std::string why_not;  // one sentence, empty when usable
  std::string hint;     // what the user can do about it
};

// What a collector is to watch. Collectors that see everything anyway record everything and leave the choice
// to the analysis; the others need it to be affordable.
struct WatchScope {
  std::vector<ScopeRule> rules;
};

// Never optional: a figure without these is not a figure.
struct CollectStats {
  uint64_t events_lost = 0;
  bool truncated = false;     // the collector had to stop before it was asked to
  uint64_t unobservable = 0;  // functions it could not attach to
  std::vector<Loss> losses;   // the same and more, as they stand in the recording
};

class Collector {
 public:
  virtual ~Collector() = default;

  virtual std::string_view name() const = 0;

  // Tries, within a short time limit, instead of guessing from names and versions.
  virtual Probe probe() = 0;

  // The writer must outlive the collector's stop().
  virtual Status start(const WatchScope& scope, RecordingWriter& writer) = 0;

  // Everything seen is in the writer afterwards.
  virtual Result<CollectStats> stop() = 0;
};

}  // namespace hap::collect
