// The description of a user's workload, on any JSON.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "workload/description.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto object =
      nlohmann::json::parse(std::string_view(reinterpret_cast<const char*>(data), size), nullptr, false);
  const auto description = hap::workload::parse_description(object);
  if (description && (description->service.port == 0 || description->service.argv.empty())) __builtin_trap();
  return 0;
}
