// SHA-256 as the 32 bytes that files hold.
#pragma once

#include <array>
#include <cstddef>

#include "base/digest.h"

namespace hap::recording {

inline constexpr size_t digest_size = 32;

// The hash is spent afterwards.
inline std::array<char, digest_size> raw_digest(Sha256& hash) {
  const std::string hex = hash.hex();
  const auto nibble = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  std::array<char, digest_size> raw{};
  for (size_t i = 0; i < digest_size; ++i) {
    raw[i] = static_cast<char>(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
  }
  return raw;
}

}  // namespace hap::recording
