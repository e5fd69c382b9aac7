#include "collect/ftrace/ring_page.h"

#include <cstring>

namespace hap::collect {
namespace {

// kernel/trace/ring_buffer.c: the upper bits of `commit` in a page handed to user space.
constexpr uint64_t missed_events = uint64_t{1} << 31;
constexpr uint64_t missed_stored = uint64_t{1} << 30;
constexpr uint64_t length_mask = missed_stored - 1;

// include/linux/ring_buffer.h: the low five bits of an event's first word.
constexpr uint32_t type_bits = 5;
constexpr uint32_t type_mask = (1 << type_bits) - 1;
constexpr uint32_t type_padding = 29;
constexpr uint32_t type_time_extend = 30;
constexpr uint32_t type_time_stamp = 31;
constexpr size_t header_size = 4;

}  // namespace

RingPage::RingPage(const PageFormat& format, std::span<const std::byte> bytes) {
  if (bytes.size() < format.data_offset || format.commit_offset + sizeof(uint64_t) > format.data_offset) {
    damaged_ = true;
    return;
  }
  uint64_t commit = 0;
  std::memcpy(&commit, bytes.data() + format.commit_offset, sizeof commit);
  const std::span<const std::byte> payload = bytes.subspan(format.data_offset);
  const uint64_t length = commit & length_mask;
  after_loss_ = (commit & missed_events) != 0;
  if (length > payload.size()) {
    damaged_ = true;
    return;
  }
  data_ = payload.first(length);
  if ((commit & missed_stored) != 0 && payload.size() - length >= sizeof lost_) {
    std::memcpy(&lost_, payload.data() + length, sizeof lost_);
  }
}

uint32_t RingPage::word(size_t at) const {
  uint32_t value = 0;
  std::memcpy(&value, data_.data() + at, sizeof value);
  return value;
}

std::optional<std::span<const std::byte>> RingPage::next() {
  while (!damaged_ && data_.size() - at_ >= header_size) {
    const uint32_t first = word(at_);
    const uint32_t type = first & type_mask;
    const bool has_length = type == 0 || type == type_padding;
    if (type == type_padding && first >> type_bits == 0) break;  // the rest of the page is unused
    size_t size = 0;                                             // of the event with its header
    size_t header = 0;                                           // before the payload
    if (type == type_time_extend || type == type_time_stamp) {
      size = header = 2 * header_size;
    } else if (has_length) {
      if (data_.size() - at_ < 2 * header_size) {
        damaged_ = true;
        break;
      }
      header = 2 * header_size;
      size = header_size + size_t{word(at_ + header_size)};
    } else {
      header = header_size;
      size = header_size + size_t{type} * 4;
    }
    if (size < header || size > data_.size() - at_) {
      damaged_ = true;
      break;
    }
    const size_t begin = at_ + header;
    const size_t payload = size - header;
    // Events are aligned to four bytes.
    at_ += (size + 3) & ~size_t{3};
    if (at_ > data_.size()) at_ = data_.size();
    const bool is_data = type != type_padding && type != type_time_extend && type != type_time_stamp;
    if (is_data) return data_.subspan(begin, payload);
  }
  at_ = data_.size();
  return std::nullopt;
}

}  // namespace hap::collect
