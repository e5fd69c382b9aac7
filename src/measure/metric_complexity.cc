#include "measure/metrics.h"
#include "measure/rare.h"

namespace hap {
namespace {

class Complexity : public Metric {
 public:
  std::string_view name() const override { return "complexity"; }
  std::string_view unit() const override { return "independent paths"; }
  std::string_view definition() const override {
    return "Sum of the cyclomatic complexity of the functions hit, from the control-flow graph of their "
           "machine code.";
  }
  std::string_view source() const override {
    return "McCabe 1976; nabla-measurements sums it over the source (docs/complexity.md has the correlation)";
  }

  Measurement measure(const MetricInput& input) const override {
    return sum_over_functions(input, [&](uint32_t id) -> std::optional<double> {
      return input.profile.functions()[id].complexity;
    });
  }
};

}  // namespace

std::unique_ptr<Metric> make_complexity_metric() {
  return std::make_unique<Complexity>();
}

}  // namespace hap
