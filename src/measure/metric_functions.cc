#include "measure/metrics.h"

namespace hap {
namespace {

class Functions : public Metric {
 public:
  std::string_view name() const override { return "functions"; }
  std::string_view unit() const override { return "functions"; }
  std::string_view definition() const override {
    return "Distinct functions with machine code of their own that executed; clones and cold parts are one "
           "with "
           "their function, inlined copies are listed but not counted.";
  }
  std::string_view source() const override { return "nabla-measurements: functions that ftrace saw entered"; }

  Measurement measure(const MetricInput& input) const override {
    const auto count = static_cast<double>(input.profile.functions_hit(input.selection).size());
    // Code ran, yet none of it is in a known function: unknown, not zero.
    if (count == 0 && !input.profile.labels_hit(input.selection).empty()) return {};
    Measurement result{Interval{count, count, count}, false, 0};
    if (input.unseen != nullptr && input.unseen->functions) {
      result.value->high += input.unseen->functions->high;
      result.bounded = true;
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<Metric> make_functions_metric() {
  return std::make_unique<Functions>();
}

}  // namespace hap
