// The digest that closes a recording.
//
// SQLite leaves the last bytes of every page unused when told so (the "reserved space" of its file format). A
// recording reserves 32, and the 32 bytes at the end of the first page hold the SHA-256 of the whole file
// with these 32 bytes taken as zero. Any SQLite client opens such a file; any change to it breaks the seal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "hap/result.h"

namespace hap::recording {

inline constexpr size_t seal_size = 32;
inline constexpr uint32_t page_size = 4096;
inline constexpr uint64_t max_recording_size = uint64_t{4} << 30;

// Writes the seal into a finished database file.
Status seal_file(int fd, const std::string& path);

// Checks, in this order: SQLite file, application id, schema version, size, seal. Every error is of kind
// `corrupt` and says which of these failed.
Status check_seal(std::span<const std::byte> content, const std::string& path);

}  // namespace hap::recording
