// Constructors of the single metrics, one file each; make_metrics() lists them.
#pragma once

#include "hap/metric.h"

namespace hap {

std::unique_ptr<Metric> make_functions_metric();
std::unique_ptr<Metric> make_function_lines_metric();
std::unique_ptr<Metric> make_executed_lines_metric();
std::unique_ptr<Metric> make_code_bytes_metric();
std::unique_ptr<Metric> make_complexity_metric();
std::unique_ptr<Metric> make_expected_bugs_metric();
std::unique_ptr<Metric> make_known_cves_metric();

}  // namespace hap
