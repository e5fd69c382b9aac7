// Which of the functions a workload was seen in would an idle machine have shown anyway?
//
// Subtracting the set of functions of an idle recording deletes code that both share, and with it most of a
// network stack. Here the rates are compared instead: how often, per second, does a function appear in the
// windows of the workload and in those of the idle machine. Nothing is deleted; every function gets a verdict
// and the figures behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hap/interval.h"

namespace hap {

// Windows of equal length that were looked at.
struct WindowSpan {
  std::uint32_t windows = 0;  // how many windows were looked at
  double seconds = 1;         // length of one window
};

// rate in the workload / rate in the idle machine, with a 95 % interval. A function that comes with rate r
// per second is in a window of s seconds with p = 1 - exp(-r s). p has Wilson's interval (JASA 22, 1927); the
// interval of the log ratio recovers the variances from both ends (MOVER: Zou & Donner, Statistics in
// Medicine 27, 2008).
struct RateRatio {
  double value = 1;            // the ratio itself
  double low = 0;              // lower bound
  std::optional<double> high;  // null: unbounded (seen in every window of the workload, or never when idle)
};
// Null when either span has no windows.
std::optional<RateRatio> rate_ratio(std::uint32_t seen_working, const WindowSpan& working,
                                    std::uint32_t seen_idle, const WindowSpan& idle);

// To what a function is owed.
enum class Origin {
  workload,    // significantly more often than in the idle machine (interval above 1)
  background,  // seen in the idle machine, and at most twice as often with the workload
  undecided,   // the interval allows both; more or shorter windows would tell
};
// "workload", "background", "undecided".
std::string to_string(Origin origin);

// In how many windows a function was seen.
struct FunctionWindows {
  std::string function;    // the caller's key
  std::uint32_t seen = 0;  // windows with it
};

// A function's verdict.
struct BaselineFunction {
  std::string function;               // the caller's key
  std::uint32_t seen_working = 0;     // windows with the workload that have it
  std::uint32_t seen_idle = 0;        // windows of the idle machine that have it
  RateRatio ratio;                    // how much more often with the workload
  Origin origin = Origin::undecided;  // what follows from it
};

// Every function's verdict, and their sums.
struct BaselineComparison {
  std::vector<BaselineFunction> functions;  // all of the workload's, in the order given
  std::size_t workload = 0;                 // functions owed to the workload
  std::size_t background = 0;               // functions of the machine itself
  std::size_t undecided = 0;                // functions for which the windows do not suffice
  std::size_t only_idle = 0;  // functions of the idle machine that the workload was never seen in
  // Functions owed to the workload: at least `workload`, at most also the undecided ones.
  Interval attributable;
};

// Judges each function of the workload against the idle machine; the spans say how many windows each has.
BaselineComparison compare_with_baseline(std::span<const FunctionWindows> working,
                                         const WindowSpan& working_span,
                                         std::span<const FunctionWindows> idle, const WindowSpan& idle_span);

}  // namespace hap
