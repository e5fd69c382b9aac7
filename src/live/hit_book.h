// Gathers what a collector reports, window by window.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "collect/live_collector.h"

namespace hap::live {

class HitBook : public collect::HitSink {
 public:
  // What is reported from now on belongs to this window. Ids ascend.
  void open_window(uint32_t id) { window_ = id; }

  void hit(uint64_t address, collect::ThreadClass thread_class, Cause cause) override;
  void system_calls(collect::ThreadClass thread_class, int32_t number, uint64_t count) override;
  void thread_seen(pid_t tid, collect::ThreadClass thread_class) override;

  struct Key {
    uint64_t address;
    collect::ThreadClass thread_class;
    Cause cause;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const {
      return std::hash<uint64_t>()(key.address * 64 + static_cast<uint64_t>(key.thread_class) * 8 +
                                   static_cast<uint64_t>(key.cause));
    }
  };
  const std::unordered_map<Key, std::vector<uint32_t>, Hash>& hits() const { return hits_; }
  const std::map<std::pair<collect::ThreadClass, int32_t>, uint64_t>& calls() const { return calls_; }
  // Threads not looked at since the last call of this.
  std::vector<std::pair<pid_t, collect::ThreadClass>> take_new_threads();
  uint64_t functions() const { return functions_.size(); }

 private:
  uint32_t window_ = 0;
  std::unordered_map<Key, std::vector<uint32_t>, Hash> hits_;
  std::set<uint64_t> functions_;
  std::map<std::pair<collect::ThreadClass, int32_t>, uint64_t> calls_;
  std::vector<std::pair<pid_t, collect::ThreadClass>> new_threads_;
};

}  // namespace hap::live
