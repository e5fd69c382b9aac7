#include "collect/emulator/btf_layout.h"

#include <bpf/btf.h>

#include <algorithm>
#include <string>

namespace hap::collect {
namespace {

constexpr int deepest_nesting = 32;

const btf_type* behind_modifiers(const btf* types, uint32_t id) {
  const btf_type* type = btf__type_by_id(types, id);
  for (int i = 0; type != nullptr && i < deepest_nesting; ++i) {
    if (!btf_is_mod(type) && !btf_is_typedef(type)) return type;
    type = btf__type_by_id(types, type->type);
  }
  return nullptr;
}

struct Found {
  uint64_t bits;
  uint32_t type;
};

std::optional<Found> find_member(const btf* types, const btf_type* container, std::string_view name,
                                 int depth) {
  if (container == nullptr || !btf_is_composite(container) || depth > deepest_nesting) return std::nullopt;
  const btf_member* members = btf_members(container);
  for (uint32_t i = 0; i < btf_vlen(container); ++i) {
    const char* member_name = btf__name_by_offset(types, members[i].name_off);
    const uint64_t bits = btf_member_bit_offset(container, i);
    if (member_name == nullptr || *member_name == '\0') {
      const auto inner = find_member(types, behind_modifiers(types, members[i].type), name, depth + 1);
      if (inner) return Found{bits + inner->bits, inner->type};
    } else if (name == member_name) {
      if (btf_member_bitfield_size(container, i) != 0 || bits % 8 != 0) return std::nullopt;
      return Found{bits, members[i].type};
    }
  }
  return std::nullopt;
}

}  // namespace

void BtfLayout::Free::operator()(btf* types) const {
  btf__free(types);
}

Result<BtfLayout> BtfLayout::parse(std::span<const std::byte> bytes) {
  if (bytes.size() > UINT32_MAX)
    return Error("the kernel's type information is too large", ErrorKind::corrupt);
  btf* types = btf__new(bytes.data(), static_cast<uint32_t>(bytes.size()));
  if (types == nullptr) return Error("not the kernel's type information (BTF)", ErrorKind::corrupt);
  return BtfLayout(types);
}

std::optional<uint64_t> BtfLayout::offset(std::string_view path) const {
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string type_name(path.substr(0, dot));
  path.remove_prefix(dot + 1);
  int32_t id = btf__find_by_name_kind(types_.get(), type_name.c_str(), BTF_KIND_STRUCT);
  if (id < 0) return std::nullopt;
  const btf_type* container = btf__type_by_id(types_.get(), static_cast<uint32_t>(id));
  uint64_t bits = 0;
  while (!path.empty()) {
    const size_t end = std::min(path.find('.'), path.size());
    const auto found = find_member(types_.get(), container, path.substr(0, end), 0);
    if (!found) return std::nullopt;
    bits += found->bits;
    container = behind_modifiers(types_.get(), found->type);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return bits / 8;
}

}  // namespace hap::collect
