// SHA-256, for content addresses and for the digest that closes a recording.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& update(std::string_view bytes);
  // Lower-case hexadecimal, 64 characters. The object is spent afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
Result<std::string> sha256_file(const std::string& path);

}  // namespace hap
