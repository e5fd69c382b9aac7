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
// asks. What was seen in interrupts or by others only stays watched, however often it is entered: a watched
// thread may enter it yet, and it would be missing from the profile.
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
