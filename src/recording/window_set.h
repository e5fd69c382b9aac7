// A set of window ids as stored: a 32-bit Roaring bitmap in the portable format
// (github.com/RoaringBitmap/RoaringFormatSpec), which every Roaring library reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hap/result.h"

namespace hap::recording {

// `windows` ascending and distinct.
std::string encode_window_set(std::span<const uint32_t> windows);

// Ascending and distinct, at most `limit` members. Reads untrusted bytes: every count, offset and order is
// checked here, because the library's own decoder trusts container contents.
Result<std::vector<uint32_t>> decode_window_set(std::string_view bytes, size_t limit = size_t{1} << 22);

}  // namespace hap::recording
