// The number of a function from the address it was entered at, by a table over the kernel's text.
//
// An entry is seen a few bytes behind the function's beginning: behind the call to the tracer, in front of
// which there may be an instruction that marks the target of indirect jumps. So a function has the places of
// all these addresses, and a place that two functions claim has none.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hap::collect {

class FunctionPlaces {
 public:
  static constexpr uint64_t kGrain = 16;  // bytes of text to a place
  static constexpr uint32_t kNone = 0xffffffff;

  // `addresses`: of the functions, by number, ascending. Those far behind the first (of modules) are left
  // out.
  explicit FunctionPlaces(std::span<const uint64_t> addresses);

  uint64_t begin() const { return begin_; }
  // A function's number, or kNone, for each kGrain bytes from begin().
  const std::vector<uint32_t>& numbers() const { return numbers_; }

 private:
  uint64_t begin_ = 0;
  std::vector<uint32_t> numbers_;
};

}  // namespace hap::collect
