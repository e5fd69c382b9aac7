#include "measure/metrics.h"

namespace hap {

std::vector<std::unique_ptr<Metric>> make_metrics() {
  std::vector<std::unique_ptr<Metric>> metrics;
  metrics.push_back(make_functions_metric());
  metrics.push_back(make_function_lines_metric());
  metrics.push_back(make_executed_lines_metric());
  metrics.push_back(make_code_bytes_metric());
  metrics.push_back(make_complexity_metric());
  metrics.push_back(make_expected_bugs_metric());
  metrics.push_back(make_known_cves_metric());
  return metrics;
}

}  // namespace hap
