// A figure with the range it could be in.
#pragma once

namespace hap {

// low <= value <= high, all in the unit of the figure. What the range stands for (a 95 % interval, the effect
// of losses, both) is said where it is made.
struct Interval {
  double value = 0;  // best estimate, or what was seen
  double low = 0;    // lower bound
  double high = 0;   // upper bound
};

}  // namespace hap
