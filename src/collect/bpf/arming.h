// Which functions are worth watching at this moment: the decisions of the bpf collector, without the kernel.
//
// A watched function costs nothing until it is entered, and then some hundred instructions each time. Once it
// was seen in this window, entering it again tells nothing new; but taking it off means attaching a link with
// the others and closing the old one, which costs as much as many entries. So it is done when it pays:
//
//   waste     entries of functions with nothing left to tell ("done"), since their link was made
//   expected  the rate of such entries now, times what is probably left of the window
//   price     of the new link and of closing the old one, as this machine was seen to take
//
// A link is replaced when max(expected, waste) is above the price, and waste above an eighth of it (so that a
// large link is not replaced for every function that turns up in the first milliseconds).
//
// A function is done in a window when it was seen in the context `process`: that is all the attack profile
// asks. Or when it had its chance to be and was not: watched threads have made kOpportunities system calls in
// this window, and it was entered kPatience times
//
//   - in interrupts and softirqs on top of watched threads,
//   - or while unwatched kernel threads and idle tasks were current,
//   - or by anybody, and the window is kOthersPatience old;
//
// what runs by the packet, at every sleep of a processor or for other tenants would be most of the cost. If a
// watched thread enters it after all, later in the same window, that is not seen; such functions are counted
// (`censored_functions`).
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace hap::collect {

// In nanoseconds of processor time; measured by calibration.h.
struct TracingCosts {
  double link = 0;      // making and closing a link, whatever its size
  double function = 0;  // and for each function on it
  double entry = 0;     // entering a watched function
};

inline constexpr uint32_t kPatience = 255;
inline constexpr uint64_t kOpportunities = 10'000;
inline constexpr std::chrono::seconds kOthersPatience{2};

// What was seen of a function in this window so far.
struct Sighting {
  bool in_process = false;
  uint32_t times_in_interrupts = 0;
  uint32_t times_on_kernel_threads = 0;
  uint32_t times_by_anybody = 0;
};

// And of the window itself.
struct WindowProgress {
  uint64_t system_calls = 0;  // of watched threads
  std::chrono::nanoseconds age{0};
};

inline bool done_with(const Sighting& seen, const WindowProgress& window) {
  if (seen.in_process) return true;
  if (window.system_calls < kOpportunities) return false;
  return seen.times_in_interrupts >= kPatience || seen.times_on_kernel_threads >= kPatience ||
         (seen.times_by_anybody >= kPatience && window.age >= kOthersPatience);
}

// One link as it is judged.
class LinkAccount {
 public:
  explicit LinkAccount(size_t functions) : functions_(functions) {}

  // `done_entries`: by functions on it that are done, since the last call or the beginning of the window.
  // `keep`: how many functions are not done. True: replace it by a link with those.
  bool worth_replacing(uint64_t done_entries, size_t keep, std::chrono::nanoseconds since_last,
                       std::chrono::nanoseconds left_of_window, const TracingCosts& costs);

  size_t functions() const { return functions_; }

 private:
  size_t functions_;
  double wasted_entries_ = 0;
};

}  // namespace hap::collect
