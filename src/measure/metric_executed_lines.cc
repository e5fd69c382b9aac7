#include "measure/metrics.h"

namespace hap {
namespace {

class ExecutedLines : public Metric {
 public:
  std::string_view name() const override { return "executed_lines"; }
  std::string_view unit() const override { return "lines"; }
  std::string_view definition() const override {
    return "Distinct source lines executed, each once; inlined code counts under its own file and line.";
  }
  std::string_view source() const override {
    return "Anjali, Caraza-Harter, Swift, VEE 2020 (there with gcov)";
  }

  Measurement measure(const MetricInput& input) const override {
    if (!input.profile.exact()) return {};
    const auto lines = static_cast<double>(input.profile.lines_hit(input.selection).size());
    const uint64_t blocks = input.profile.blocks_hit(input.selection);
    // Code ran, yet none of it has line numbers: unknown, not zero.
    if (lines == 0 && blocks > 0) return {};
    Measurement result{Interval{lines, lines, lines}, false, 0};
    if (input.unseen != nullptr && input.unseen->lines) {
      result.value->high += input.unseen->lines->high;
      result.bounded = true;
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<Metric> make_executed_lines_metric() {
  return std::make_unique<ExecutedLines>();
}

}  // namespace hap
