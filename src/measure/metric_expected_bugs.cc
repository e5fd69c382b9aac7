#include "measure/metrics.h"
#include "measure/rare.h"

namespace hap {
namespace {

class ExpectedBugsMetric : public Metric {
 public:
  std::string_view name() const override { return "expected_bugs"; }
  std::string_view unit() const override { return "bugs"; }
  std::string_view definition() const override {
    return "Sum over the functions hit of their lines times a bug density; which density is part of the "
           "result.";
  }
  std::string_view source() const override {
    return "J. Bottomley, 2018: attack profile = lines x bug density";
  }

  Measurement measure(const MetricInput& input) const override {
    if (input.density == nullptr) return {};
    const auto functions = input.profile.functions();
    const auto piece_of = [&](uint32_t id) {
      return CodePiece{functions[id].name, functions[id].file,
                       static_cast<double>(functions[id].lines.value_or(0))};
    };
    std::vector<CodePiece> code;
    uint64_t unknown = 0;
    for (const uint32_t id : input.profile.functions_hit(input.selection)) {
      if (functions[id].lines) {
        code.push_back(piece_of(id));
      } else {
        ++unknown;
      }
    }
    if (code.empty() && (unknown > 0 || !input.profile.labels_hit(input.selection).empty()))
      return {std::nullopt, false, unknown};
    const auto bugs = expected_bugs(code, *input.density);
    if (!bugs) return {std::nullopt, false, unknown};
    return with_unseen_functions(input, bugs->value, unknown, [&](uint32_t id) -> std::optional<double> {
      if (!functions[id].lines) return std::nullopt;
      const auto piece = piece_of(id);
      const auto density = input.density->per_kloc(piece);
      if (!density) return std::nullopt;
      return piece.lines * *density / 1000;
    });
  }
};

}  // namespace

std::unique_ptr<Metric> make_expected_bugs_metric() {
  return std::make_unique<ExpectedBugsMetric>();
}

}  // namespace hap
