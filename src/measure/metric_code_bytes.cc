#include "measure/metrics.h"
#include "measure/rare.h"

namespace hap {
namespace {

class CodeBytes : public Metric {
 public:
  std::string_view name() const override { return "code_bytes"; }
  std::string_view unit() const override { return "bytes"; }
  std::string_view definition() const override {
    return "Bytes of machine code executed, each once. A function collector only knows which functions were "
           "entered: there it is the size of these.";
  }
  std::string_view source() const override { return "hapmeter"; }

  Measurement measure(const MetricInput& input) const override {
    const auto functions = input.profile.functions();
    if (!input.profile.exact()) {
      const auto size_of = [&](uint32_t id) -> std::optional<double> {
        return static_cast<double>(functions[id].size);
      };
      double bytes = 0;
      for (const uint32_t id : input.profile.functions_hit(input.selection)) bytes += *size_of(id);
      return with_unseen_functions(input, bytes, 0, size_of);
    }
    const auto bytes = static_cast<double>(*input.profile.bytes_executed(input.selection));
    Measurement result{Interval{bytes, bytes, bytes}, false, 0};
    const uint64_t blocks = input.unseen == nullptr ? 0 : input.profile.blocks_hit(input.selection);
    if (blocks > 0 && input.unseen->blocks) {
      result.value->high += input.unseen->blocks->high * bytes / static_cast<double>(blocks);
      result.bounded = true;
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<Metric> make_code_bytes_metric() {
  return std::make_unique<CodeBytes>();
}

}  // namespace hap
