#include "resolve/frame_functions.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/checked_reader.h"

namespace hap::resolve {

namespace {

constexpr std::uint8_t kOmitted = 0xff;

// DW_EH_PE_*: the low four bits say how the value is stored, the next three what it is relative to.
std::optional<std::uint64_t> read_pointer(CheckedReader& reader, std::uint8_t encoding, std::uint64_t place) {
  std::uint64_t value = 0;
  switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
      value = reader.read<std::uint64_t>();
      break;
    case 0x02:
      value = reader.read<std::uint16_t>();
      break;
    case 0x03:
      value = reader.read<std::uint32_t>();
      break;
    case 0x0a:
      value = static_cast<std::uint64_t>(std::int64_t{reader.read<std::int16_t>()});
      break;
    case 0x0b:
      value = static_cast<std::uint64_t>(std::int64_t{reader.read<std::int32_t>()});
      break;
    default:
      return std::nullopt;
  }
  switch (encoding & 0x70) {
    case 0x00:
      break;
    case 0x10:
      value += place;
      break;
    default:
      return std::nullopt;
  }
  if (!reader.ok()) return std::nullopt;
  return value;
}

// The encoding of code addresses in the descriptions that refer to this common entry.
std::optional<std::uint8_t> code_encoding(CheckedReader reader) {
  const auto version = reader.read<std::uint8_t>();
  const auto augmentation = reader.read_c_string();
  reader.read_uleb128();  // code alignment
  reader.read_uleb128();  // data alignment; signed, but only its end matters
  if (version == 1) {
    reader.read<std::uint8_t>();
  } else {
    reader.read_uleb128();
  }
  if (!reader.ok()) return std::nullopt;
  if (!augmentation.starts_with('z'))
    return augmentation.empty() ? std::optional<std::uint8_t>(0) : std::nullopt;
  reader.read_uleb128();
  for (const char letter : augmentation.substr(1)) {
    if (letter == 'R') {
      const auto encoding = reader.read<std::uint8_t>();
      return reader.ok() ? std::optional(encoding) : std::nullopt;
    }
    if (letter == 'L') {
      reader.read<std::uint8_t>();
    } else if (letter == 'P') {
      const auto encoding = reader.read<std::uint8_t>();
      if (encoding != kOmitted && !read_pointer(reader, encoding & 0x0f, 0)) return std::nullopt;
    } else if (letter != 'S' && letter != 'B') {
      return std::nullopt;
    }
  }
  return 0;
}

}  // namespace

Result<std::vector<AddressRange>> read_frame_functions(const ElfFile& elf) {
  std::vector<AddressRange> functions;
  const auto* section = elf.section(".eh_frame");
  if (section == nullptr) return functions;
  HAP_TRY(bytes, elf.contents(*section));
  const CheckedReader all(bytes.view);
  std::unordered_map<std::uint64_t, std::optional<std::uint8_t>> encodings;  // by offset of the common entry
  for (std::uint64_t offset = 0; offset + 8 <= bytes.view.size();) {
    auto header = all.at(offset, 8);
    const std::uint64_t length = header.read<std::uint32_t>();
    // Zero ends the list; the 64-bit form is not in use on x86-64.
    if (length < 4 || length == 0xffffffff || length > bytes.view.size() - offset - 4) break;
    const std::uint64_t identity = header.read<std::uint32_t>();
    auto body = all.at(offset + 8, length - 4);
    if (identity == 0) {
      encodings[offset] = code_encoding(body);
    } else {
      const auto common = encodings.find(offset + 4 - identity);
      if (common != encodings.end() && common->second && *common->second != kOmitted) {
        const auto begin = read_pointer(body, *common->second, section->address + offset + 8);
        const auto size = read_pointer(body, *common->second & 0x0f, 0);
        if (begin && size && *size != 0 && *begin + *size > *begin)
          functions.push_back({*begin, *begin + *size});
      }
    }
    offset += 4 + length;
  }
  std::sort(functions.begin(), functions.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.begin < b.begin; });
  return functions;
}

}  // namespace hap::resolve
