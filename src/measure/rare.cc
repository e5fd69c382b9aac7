#include "measure/rare.h"

namespace hap {

std::optional<double> mean_of_rare_functions(const MetricInput& input,
                                             const std::function<std::optional<double>(uint32_t)>& weight) {
  constexpr size_t rare = 2;
  double rare_sum = 0, sum = 0;
  size_t rare_count = 0, count = 0;
  input.profile.for_each_function_windows(input.selection,
                                          [&](uint32_t function, std::span<const uint32_t> windows) {
                                            const auto known = weight(function);
                                            if (!known) return;
                                            sum += *known;
                                            ++count;
                                            if (windows.size() > rare) return;
                                            rare_sum += *known;
                                            ++rare_count;
                                          });
  if (rare_count > 0) return rare_sum / static_cast<double>(rare_count);
  if (count > 0) return sum / static_cast<double>(count);
  return std::nullopt;
}

Measurement with_unseen_functions(const MetricInput& input, double value, uint64_t unknown,
                                  const std::function<std::optional<double>(uint32_t)>& weight) {
  Measurement result{Interval{value, value, value}, false, unknown};
  if (input.unseen == nullptr || !input.unseen->functions) return result;
  const auto mean = mean_of_rare_functions(input, weight);
  if (!mean) return result;
  result.value->high += input.unseen->functions->high * *mean;
  result.bounded = true;
  return result;
}

Measurement sum_over_functions(const MetricInput& input,
                               const std::function<std::optional<double>(uint32_t)>& weight) {
  double sum = 0;
  uint64_t known = 0, unknown = 0;
  for (const uint32_t id : input.profile.functions_hit(input.selection)) {
    const auto own = weight(id);
    sum += own.value_or(0);
    ++(own ? known : unknown);
  }
  if (known == 0 && (unknown > 0 || !input.profile.labels_hit(input.selection).empty()))
    return {std::nullopt, false, unknown};
  return with_unseen_functions(input, sum, unknown, weight);
}

}  // namespace hap
