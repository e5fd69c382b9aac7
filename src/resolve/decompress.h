// Inflates the compressed debug sections of ELF files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hap/result.h"

namespace hap::resolve {

// `algorithm` is ch_type of the section: ELFCOMPRESS_ZLIB (1) or ELFCOMPRESS_ZSTD (2). The result must have
// exactly `size` bytes. Errors: corrupt data, another algorithm, or a size that no debug section has (4 GiB,
// or more than the compression could yield).
Result<std::vector<std::byte>> decompress(std::uint32_t algorithm, std::span<const std::byte> bytes,
                                          std::uint64_t size);

}  // namespace hap::resolve
