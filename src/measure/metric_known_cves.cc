#include "measure/metrics.h"

namespace hap {
namespace {

class KnownCvesMetric : public Metric {
 public:
  std::string_view name() const override { return "known_cves"; }
  std::string_view unit() const override { return "records"; }
  std::string_view definition() const override {
    return "Ledger records whose fixed files or functions were exercised.";
  }
  std::string_view source() const override { return "the ledger (`hap ledger exposure`)"; }

  Measurement measure(const MetricInput& input) const override {
    return {input.known_cves, input.known_cves.has_value(), 0};
  }
};

}  // namespace

std::unique_ptr<Metric> make_known_cves_metric() {
  return std::make_unique<KnownCvesMetric>();
}

}  // namespace hap
