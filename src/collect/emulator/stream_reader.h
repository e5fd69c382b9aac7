// Decodes the plugin's stream, from bytes that may still be growing, and checks it as it goes: every
// identifier is defined before it is used and only once, hits lie in the open window. What comes out can be
// relied on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>

#include "collect/emulator/stream_records.h"
#include "hap/result.h"

namespace hap::collect {

class StreamReader {
 public:
  // Decodes the next chunk at the front of `bytes`, which continue where the last call's consumed bytes
  // ended. Null: `bytes` hold only a part of a chunk. `consumed` is what was used, 0 in that case. Errors:
  // `corrupt` on anything a plugin would not write.
  Result<std::optional<StreamRecord>> next(std::span<const std::byte> bytes, size_t& consumed);

  // True when the last record was `end`, so that nothing is missing.
  bool complete() const { return complete_; }

 private:
  Result<StreamRecord> decode(uint32_t type, std::span<const std::byte> payload);
  Status check(const StreamRecord& record);

  bool header_read_ = false;
  bool complete_ = false;
  uint32_t open_window_ = 0;
  uint32_t last_window_ = 0;
  std::unordered_set<uint32_t> images_;
  std::unordered_set<uint32_t> blocks_;
  std::unordered_set<uint32_t> tasks_;
  std::unordered_set<uint32_t> actors_;
};

}  // namespace hap::collect
