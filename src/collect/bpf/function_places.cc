#include "collect/bpf/function_places.h"

#include "live_program.h"

namespace hap::collect {
namespace {

static_assert(FunctionPlaces::kGrain == HAP_TEXT_GRAIN);
static_assert(FunctionPlaces::kNone == uint32_t{HAP_NO_FUNCTION});
// The kernel's own text is smaller.
constexpr uint64_t largest_text = uint64_t{64} << 20;
// How far behind a function's beginning its entry may be seen: an endbr64 and a call.
constexpr uint64_t entry_bytes = 4 + 5;
constexpr uint32_t contested = FunctionPlaces::kNone - 1;

}  // namespace

FunctionPlaces::FunctionPlaces(std::span<const uint64_t> addresses) {
  if (addresses.empty()) return;
  begin_ = addresses.front() / kGrain * kGrain;
  size_t count = 0;
  while (count < addresses.size() && addresses[count] - begin_ < largest_text) ++count;
  numbers_.assign((addresses[count - 1] + entry_bytes - begin_) / kGrain + 1, kNone);
  for (uint32_t number = 0; number < count; ++number) {
    const uint64_t offset = addresses[number] - begin_;
    for (uint64_t place = offset / kGrain; place <= (offset + entry_bytes) / kGrain; ++place) {
      numbers_[place] = numbers_[place] == kNone ? number : contested;
    }
  }
  for (uint32_t& number : numbers_) {
    if (number == contested) number = kNone;
  }
}

}  // namespace hap::collect
