// Any bytes as a seccomp filter: no crash, no endless run.
#include <cstddef>
#include <cstdint>

#include "measure/seccomp_filter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto program = hap::measure::parse_filter(std::as_bytes(std::span(bytes, size)));
  if (program && program->size() < 64) (void)hap::measure::evaluate(*program, 1, 0xc000003e);
  return 0;
}
