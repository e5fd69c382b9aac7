#include "collect/ftrace/disarm_plan.h"

#include <algorithm>

namespace hap::collect {

void DisarmPlan::begin_window() {
  for (State& state : states_) {
    state.interrupts = 0;
    state.wasteful = false;
    state.hap = false;
  }
  waiting_.clear();
  waste_ = 0;
  system_calls_ = 0;
  disarmed_ = 0;
}

void DisarmPlan::saw(uint32_t function, bool in_hap_context, bool keep) {
  State& state = states_[function];
  if (in_hap_context) {
    state.hap = true;
    state.ever_hap = true;
  }
  if (keep) return;
  if (state.wasteful) {
    ++waste_;
    return;
  }
  if (!in_hap_context) ++state.interrupts;
  const bool had_its_chance = state.interrupts >= kInterruptPatience && system_calls_ >= kOpportunities;
  if (in_hap_context || had_its_chance) {
    state.wasteful = true;
    waiting_.push_back(function);
  }
}

std::vector<uint32_t> DisarmPlan::take() {
  for (const uint32_t function : waiting_) {
    if (!states_[function].hap) states_[function].ever_cut_short = true;
  }
  disarmed_ += waiting_.size();
  waste_ = 0;
  return std::exchange(waiting_, {});
}

std::vector<uint32_t> DisarmPlan::censored() const {
  std::vector<uint32_t> functions;
  for (uint32_t i = 0; i < states_.size(); ++i) {
    if (states_[i].ever_cut_short && !states_[i].ever_hap) functions.push_back(i);
  }
  return functions;
}

}  // namespace hap::collect
