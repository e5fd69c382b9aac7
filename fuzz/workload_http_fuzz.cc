// A service's HTTP reply, on any bytes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "workload/http.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto reply = hap::workload::parse_http_reply(bytes);
  // A body is never longer than what it came in.
  if (reply && reply->body.size() > size) __builtin_trap();
  return 0;
}
