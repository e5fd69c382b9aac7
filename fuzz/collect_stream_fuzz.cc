// The reader of the emulator plugin's stream, on any bytes.
#include "collect/emulator/stream_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hap::collect::StreamReader reader;
  std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(data), size);
  size_t consumed = 1;
  while (consumed != 0) {
    const auto record = reader.next(rest, consumed);
    if (!record) break;
    rest = rest.subspan(consumed);
  }
  return 0;
}
