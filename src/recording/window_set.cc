#include "recording/window_set.h"

#include <roaring/roaring.h>

#include <memory>

#include "base/checked_reader.h"

namespace hap::recording {
namespace {

constexpr uint32_t cookie_without_runs = 12346;
constexpr uint32_t cookie_with_runs = 12347;
constexpr uint32_t array_limit = 4096;  // more members than this are stored as a bitset
constexpr uint32_t bitset_words = 1024;
constexpr uint32_t no_offset_threshold = 4;  // with runs, fewer containers than this carry no offset table

struct Container {
  uint32_t high = 0;  // upper 16 bits of the members, in place
  uint32_t cardinality = 0;
  bool runs = false;
};

// Each reads one container's members and appends them; false when they are not as the format demands.
bool read_array(CheckedReader& reader, const Container& container, std::vector<uint32_t>& out) {
  int64_t previous = -1;
  for (uint32_t i = 0; i < container.cardinality; ++i) {
    const auto low = reader.read<uint16_t>();
    if (!reader.ok() || low <= previous) return false;
    previous = low;
    out.push_back(container.high | low);
  }
  return true;
}

bool read_bitset(CheckedReader& reader, const Container& container, std::vector<uint32_t>& out) {
  const size_t before = out.size();
  for (uint32_t word = 0; word < bitset_words; ++word) {
    auto bits = reader.read<uint64_t>();
    for (; bits != 0; bits &= bits - 1) {
      out.push_back(container.high | (word * 64 + static_cast<uint32_t>(__builtin_ctzll(bits))));
    }
  }
  return reader.ok() && out.size() - before == container.cardinality;
}

bool read_runs(CheckedReader& reader, const Container& container, std::vector<uint32_t>& out) {
  const size_t before = out.size();
  const auto count = reader.read<uint16_t>();
  int64_t previous = -1;
  for (uint32_t run = 0; run < count; ++run) {
    const uint32_t start = reader.read<uint16_t>();
    const uint32_t end = start + reader.read<uint16_t>();
    if (!reader.ok() || start <= previous || end > 0xffff) return false;
    previous = end;
    for (uint32_t low = start; low <= end; ++low) out.push_back(container.high | low);
  }
  return reader.ok() && out.size() - before == container.cardinality;
}

}  // namespace

std::string encode_window_set(std::span<const uint32_t> windows) {
  const std::unique_ptr<roaring_bitmap_t, void (*)(const roaring_bitmap_t*)> bitmap(
      roaring_bitmap_of_ptr(windows.size(), windows.data()),
      [](const roaring_bitmap_t* owned) { roaring_bitmap_free(owned); });
  roaring_bitmap_run_optimize(bitmap.get());
  std::string bytes(roaring_bitmap_portable_size_in_bytes(bitmap.get()), '\0');
  roaring_bitmap_portable_serialize(bitmap.get(), bytes.data());
  return bytes;
}

Result<std::vector<uint32_t>> decode_window_set(std::string_view bytes, size_t limit) {
  const Error damaged("a set of windows is damaged", ErrorKind::corrupt);
  CheckedReader reader(bytes);
  const auto cookie = reader.read<uint32_t>();
  uint32_t count = 0;
  std::string_view run_flags;
  const bool with_runs = (cookie & 0xffff) == cookie_with_runs;
  if (with_runs) {
    count = (cookie >> 16) + 1;
    run_flags = reader.read_bytes((count + 7) / 8);
  } else if (cookie == cookie_without_runs) {
    count = reader.read<uint32_t>();
  } else {
    return damaged;
  }
  if (!reader.ok() || count > 0x10000) return damaged;

  std::vector<Container> containers(count);
  size_t total = 0;
  for (uint32_t i = 0; i < count; ++i) {
    containers[i].high = static_cast<uint32_t>(reader.read<uint16_t>()) << 16;
    containers[i].cardinality = static_cast<uint32_t>(reader.read<uint16_t>()) + 1;
    containers[i].runs = with_runs && ((run_flags[i / 8] >> (i % 8)) & 1) != 0;
    total += containers[i].cardinality;
    if (!reader.ok() || (i > 0 && containers[i].high <= containers[i - 1].high)) return damaged;
  }
  if (total > limit) return Error("a set of windows has too many members", ErrorKind::corrupt);
  // The containers follow each other, so the table of their offsets says nothing new.
  if (!with_runs || count >= no_offset_threshold) reader.skip(size_t{4} * count);

  std::vector<uint32_t> windows;
  windows.reserve(total);
  for (const auto& container : containers) {
    const bool good = container.runs                         ? read_runs(reader, container, windows)
                      : container.cardinality <= array_limit ? read_array(reader, container, windows)
                                                             : read_bitset(reader, container, windows);
    if (!good) return damaged;
  }
  if (!reader.ok() || !reader.at_end()) return damaged;
  return windows;
}

}  // namespace hap::recording
