// Which functions are worth watching at this moment: the decisions of the bpf collector, without the kernel.
//
// A watched function costs nothing until it is entered, and then some hundred instructions each time. Once it
// was seen in this window, entering it again tells nothing new; but taking it off means attaching a link with
// the others and closing the old one, which costs as much as many entries. So it is done when it pays:
//
//   waste     entries of functions with nothing left to tell ("done"), since their link was made
//   expected  the rate of such entries, times what is probably left of the window; the rate now or in all the
//             window so far, whichever is less: what comes in bursts (programs that start) is not worth a
//             large link
//   price     of the new link and of closing the old one, as this machine was seen to take
//
// A link is replaced when max(expected, waste) is above the price, and waste above half of it: while
// functions keep turning up one after another, they are better taken off together than each with a new link.
//
// A function is done in a window when it was seen in the context `process`: that is all the attack profile
// asks. Or when it had its chance to be and was not: watched threads have made kOpportunities system calls in
// this window, it was entered kPatience times by whomever, and
//
//   - kOften of these in interrupts and softirqs on top of watched threads,
//   - or kOften while unwatched kernel threads and idle tasks were current,
//   - or the window is kOthersPatience old;
//
// what runs by the packet, at every sleep of a processor or for other tenants would be most of the cost. If a
// watched thread enters it after all, later in the same window, that is not seen; such functions are named
// (`censored_functions`). As it is entries that cost, what runs more rarely is watched for longer: the
// clock's functions, which tasks enter now and then, for some hundred thousand system calls of a busy
// service.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace hap::collect {

// In nanoseconds of processor time; measured by calibration.h, then learnt.
struct TracingCosts {
  double link = 0;      // making and closing a link, whatever its size
  double function = 0;  // and for each function on it
  double entry = 0;     // entering a watched function

  double replacing(size_t functions, size_t keep) const;
  // Replacing a link took that long. What a link costs depends on what else is attached and armed.
  void learn(size_t functions, size_t keep, std::chrono::nanoseconds took);
};

inline constexpr uint64_t kOpportunities = 10'000;
inline constexpr uint32_t kPatience = 2000;
inline constexpr uint32_t kOften = 255;
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
  if (window.system_calls < kOpportunities || seen.times_by_anybody < kPatience) return false;
  return seen.times_in_interrupts >= kOften || seen.times_on_kernel_threads >= kOften ||
         window.age >= kOthersPatience;
}

// When a link is judged.
struct LookTimes {
  std::chrono::nanoseconds since_last;  // look, or beginning of the window
  std::chrono::nanoseconds age;         // of the window
  std::chrono::nanoseconds left;        // of the window, probably
};

// One link as it is judged.
class LinkAccount {
 public:
  explicit LinkAccount(size_t functions) : functions_(functions) {}

  void begin_window() { entries_in_window_ = 0; }

  // `done_entries`: by functions on it that are done, since the last call or the beginning of the window.
  // `keep`: how many functions are not done. True: replace it by a link with those.
  bool worth_replacing(uint64_t done_entries, size_t keep, const LookTimes& times, const TracingCosts& costs);

  size_t functions() const { return functions_; }

 private:
  size_t functions_;
  double wasted_entries_ = 0;
  double entries_in_window_ = 0;
};

}  // namespace hap::collect
