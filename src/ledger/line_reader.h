// Lines of a byte stream, with a limit: a longer line is passed over without being held, and said.
#pragma once

#include <cstdint>
#include <string>

#include "ledger/input.h"

namespace hap::ledger {

class LineReader {
 public:
  static constexpr size_t default_limit = size_t{16} << 20;
  explicit LineReader(ByteStream& bytes, size_t limit = default_limit) : bytes_(bytes), limit_(limit) {}

  struct Line {
    std::string text;     // without the line end; empty when too_long
    uint64_t number = 0;  // from 1
    uint64_t offset = 0;  // of its first byte
    uint64_t length = 0;  // bytes without the line end
    bool too_long = false;
  };
  // false: no more lines.
  Result<bool> next(Line& line);

 private:
  ByteStream& bytes_;
  size_t limit_;
  std::string buffer_;
  size_t at_ = 0;
  uint64_t offset_ = 0;
  uint64_t number_ = 0;
  bool ended_ = false;
};

}  // namespace hap::ledger
