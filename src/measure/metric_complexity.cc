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
           "machine "
           "code.";
  }
  std::string_view source() const override {
    return "McCabe 1976; nabla-measurements sums it over the source (docs/complexity.md has the correlation)";
  }

  Measurement measure(const MetricInput& input) const override {
    const auto functions = input.profile.functions();
    const auto complexity_of = [&](uint32_t id) -> std::optional<double> {
      if (!functions[id].complexity) return std::nullopt;
      return static_cast<double>(*functions[id].complexity);
    };
    double sum = 0;
    uint64_t known = 0, unknown = 0;
    for (const uint32_t id : input.profile.functions_hit(input.selection)) {
      const auto own = complexity_of(id);
      sum += own.value_or(0);
      ++(own ? known : unknown);
    }
    if (known == 0 && (unknown > 0 || !input.profile.labels_hit(input.selection).empty()))
      return {std::nullopt, false, unknown};
    return with_unseen_functions(input, sum, unknown, complexity_of);
  }
};

}  // namespace

std::unique_ptr<Metric> make_complexity_metric() {
  return std::make_unique<Complexity>();
}

}  // namespace hap
