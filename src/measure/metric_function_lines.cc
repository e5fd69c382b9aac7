#include "measure/metrics.h"
#include "measure/rare.h"

namespace hap {
namespace {

class FunctionLines : public Metric {
 public:
  std::string_view name() const override { return "function_lines"; }
  std::string_view unit() const override { return "lines"; }
  std::string_view definition() const override {
    return "Sum over the functions hit of all source lines of the function, executed or not: from its "
           "declaration "
           "to the last line whose innermost scope it is.";
  }
  std::string_view source() const override {
    return "J. Bottomley, \"Measuring the Horizontal Attack Profile of Nabla Containers\", 2018";
  }

  Measurement measure(const MetricInput& input) const override {
    return sum_over_functions(
        input, [&](uint32_t id) -> std::optional<double> { return input.profile.functions()[id].lines; });
  }
};

}  // namespace

std::unique_ptr<Metric> make_function_lines_metric() {
  return std::make_unique<FunctionLines>();
}

}  // namespace hap
