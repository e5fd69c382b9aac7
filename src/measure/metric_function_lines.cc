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
    const auto functions = input.profile.functions();
    const auto lines_of = [&](uint32_t id) -> std::optional<double> {
      if (!functions[id].lines) return std::nullopt;
      return static_cast<double>(*functions[id].lines);
    };
    double lines = 0;
    uint64_t known = 0, unknown = 0;
    for (const uint32_t id : input.profile.functions_hit(input.selection)) {
      const auto own = lines_of(id);
      lines += own.value_or(0);
      ++(own ? known : unknown);
    }
    if (known == 0 && (unknown > 0 || !input.profile.labels_hit(input.selection).empty()))
      return {std::nullopt, false, unknown};
    return with_unseen_functions(input, lines, unknown, lines_of);
  }
};

}  // namespace

std::unique_ptr<Metric> make_function_lines_metric() {
  return std::make_unique<FunctionLines>();
}

}  // namespace hap
