// A kept summary: whatever is accepted must encode to itself again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "compare/summary_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto summary = hap::compare::decode_summary(bytes, "fuzz");
  if (summary && !hap::compare::decode_summary(hap::compare::encode_summary(*summary), "again")) std::abort();
  const auto kept = hap::compare::decode_kept(bytes, "fuzz");
  if (kept && !hap::compare::decode_kept(hap::compare::encode_kept(*kept), "again")) std::abort();
  return 0;
}
