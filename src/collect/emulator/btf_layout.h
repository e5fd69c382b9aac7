// Where the members of the kernel's structures are, from its own type information (/sys/kernel/btf/vmlinux).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "hap/result.h"

struct btf;

namespace hap::collect {

class BtfLayout {
 public:
  // Errors: `corrupt` when the bytes are no BTF.
  static Result<BtfLayout> parse(std::span<const std::byte> bytes);

  // Offset in bytes of "type.member.member..."; members of anonymous structures and unions count as members
  // of what contains them. Null when there is none, or it is a bit field.
  std::optional<uint64_t> offset(std::string_view path) const;

 private:
  struct Free {
    void operator()(btf* types) const;
  };
  explicit BtfLayout(btf* types) : types_(types) {}
  std::unique_ptr<btf, Free> types_;
};

}  // namespace hap::collect
