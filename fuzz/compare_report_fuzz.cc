// A report as `hap compare` reads it, and a comparison of two copies of it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "hap/compare.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto summary = hap::parse_report_summary(text, "fuzz.json");
  if (!summary) return 0;
  hap::CompareOptions options;
  options.draws = 20;
  const auto comparison = hap::compare_reports({*summary, *summary}, options);
  if (comparison) {
    (void)hap::render_text(*comparison);
    (void)hap::render_json(*comparison);
  }
  return 0;
}
