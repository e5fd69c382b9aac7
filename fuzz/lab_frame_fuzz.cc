// What the guest sends the host, on any bytes and in any pieces: the first byte says where the stream is cut.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lab/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = std::size_t{data[0]} + 1;
  hap::lab::MessageDecoder decoder;
  std::size_t taken = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    decoder.feed(bytes.substr(at, piece));
    for (;;) {
      auto message = decoder.next();
      if (!message) return 0;  // the stream is unusable from here on
      if (!*message) break;
      if (!(*message)->body.is_object()) __builtin_trap();
      taken += (*message)->blob.size();
      (void)hap::lab::error_from_json((*message)->body);
    }
    // Nothing is handed out that did not come in.
    if (taken + decoder.pending() > bytes.size()) __builtin_trap();
  }
  return 0;
}
