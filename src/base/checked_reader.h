// Reads integers and strings from untrusted bytes without ever leaving them.
//
// A read past the end sets the reader's failed state, returns zero and stays failed, so a parser may read a
// whole structure and check once. Offsets given by the data itself go through `at()`, which checks them.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace hap {

class CheckedReader {
 public:
  explicit CheckedReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  explicit CheckedReader(std::string_view text)
      : bytes_(reinterpret_cast<const std::byte*>(text.data()), text.size()) {}

  bool ok() const { return !failed_; }
  size_t offset() const { return offset_; }
  size_t remaining() const { return failed_ ? 0 : bytes_.size() - offset_; }
  bool at_end() const { return remaining() == 0; }

  // Little-endian, unaligned.
  template <typename T>
  T read() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    if (remaining() < sizeof(T)) {
      failed_ = true;
      return value;
    }
    std::memcpy(&value, bytes_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    return value;
  }

  std::string_view read_bytes(size_t count) {
    if (remaining() < count) {
      failed_ = true;
      return {};
    }
    std::string_view view(reinterpret_cast<const char*>(bytes_.data()) + offset_, count);
    offset_ += count;
    return view;
  }

  // Unsigned LEB128; more than 64 bits is a failure.
  uint64_t read_uleb128() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = read<uint8_t>();
      if (failed_) return 0;
      if (shift == 63 && (byte & 0x7e) != 0) break;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    failed_ = true;
    return 0;
  }

  // NUL-terminated; the terminator is consumed and not part of the view.
  std::string_view read_c_string() {
    const auto* start = reinterpret_cast<const char*>(bytes_.data()) + offset_;
    const size_t length = strnlen(start, remaining());
    if (failed_ || length == remaining()) {
      failed_ = true;
      return {};
    }
    offset_ += length + 1;
    return {start, length};
  }

  void skip(size_t count) { read_bytes(count); }

  // A reader over [offset, offset + size) of the same bytes; failed when that is outside.
  CheckedReader at(uint64_t offset, uint64_t size) const {
    CheckedReader inner{std::span<const std::byte>{}};
    if (offset > bytes_.size() || size > bytes_.size() - offset) {
      inner.failed_ = true;
      return inner;
    }
    inner.bytes_ = bytes_.subspan(offset, size);
    return inner;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t offset_ = 0;
  bool failed_ = false;
};

}  // namespace hap
