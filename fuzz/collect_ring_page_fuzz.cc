// Pages of the kernel's trace buffer, and the descriptions that tell how to read them, on any bytes.
#include <string_view>

#include "collect/ftrace/event_format.h"
#include "collect/ftrace/instance.h"
#include "collect/ftrace/ring_page.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hap::collect;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 4 == 1) (void)parse_event_format(text);
  if (data[0] % 4 == 2) (void)parse_page_format(text);
  if (data[0] % 4 == 3) (void)parse_instance_name(text);
  if (data[0] % 4 != 0) return 0;
  RingPage page({8, 16, 4080}, std::as_bytes(std::span(data + 1, size - 1)));
  size_t bytes = 0;
  while (const auto event = page.next()) {
    for (const std::byte byte : *event) bytes += std::to_integer<size_t>(byte);  // must be readable
  }
  return bytes == SIZE_MAX ? 1 : 0;
}
