// When to take functions out of the trace, and which.
//
// A function seen in a HAP context has told all that this window asks of it; one that keeps running in
// interrupts only, while the watched threads make system calls, has had its chance to show up in a task. Each
// further entry of such a function is a waste. As it is entries that cost, what runs rarely in interrupts, as
// the clock's functions do, is watched for longer. Taking functions out costs too, mostly once per change
// however many they are (the kernel walks all its records), so the plan waits until the waste since the last
// change has cost as much as a change does: never more than twice the best that could be done knowing the
// future.
#pragma once

#include <cstdint>
#include <vector>

#include "hap/recording.h"

namespace hap::collect {

class DisarmPlan {
 public:
  // How often a function may be seen in interrupts alone before it counts as wasteful.
  static constexpr uint32_t kInterruptPatience = 2000;
  // And how many system calls the watched threads must have made in this window.
  static constexpr uint64_t kOpportunities = 10'000;

  explicit DisarmPlan(size_t functions) : states_(functions) {}

  // Everything is armed again.
  void begin_window();

  // An entry of this function. `keep`: it is needed to understand others, and never taken out.
  void saw(uint32_t function, bool in_hap_context, bool keep);

  // How many system calls the watched threads have made in this window.
  void system_calls(uint64_t count) { system_calls_ = count; }

  // True when a change pays: the waste (entries) against the cost of the last changes, both in nanoseconds.
  bool worthwhile() const {
    return static_cast<double>(waste_) * entry_ns_ >= change_ns_ && !waiting_.empty();
  }

  // The functions to take out now; from here on they count as disarmed.
  std::vector<uint32_t> take();
  // What it cost.
  void changed(double nanoseconds) { change_ns_ = nanoseconds; }
  // What an entry costs, as far as it can be measured here.
  void set_entry_cost(double nanoseconds) { entry_ns_ = nanoseconds; }

  // Taken out in this window; of these, after interrupts only.
  uint64_t disarmed() const { return disarmed_; }
  // Functions ever taken out after interrupts only that were never seen in a HAP context: their task context
  // is censored for the whole measurement. Ascending.
  std::vector<uint32_t> censored() const;

 private:
  struct State {
    uint32_t interrupts = 0;  // entries in this window
    bool wasteful = false;    // waiting to be taken out, or taken out
    bool ever_hap = false;
    bool ever_cut_short = false;  // taken out in some window after interrupts only
    bool hap = false;             // in this window
  };
  std::vector<State> states_;
  std::vector<uint32_t> waiting_;
  uint64_t waste_ = 0;
  uint64_t system_calls_ = 0;
  uint64_t disarmed_ = 0;
  double entry_ns_ = 400;
  double change_ns_ = 5e6;
};

}  // namespace hap::collect
