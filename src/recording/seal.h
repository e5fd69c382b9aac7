// The digest that closes a recording.
//
// SQLite leaves the last bytes of every page unused when told so (the "reserved space" of its file format). A
// recording reserves 32, and the 32 bytes at the end of the first page hold the SHA-256 of the database
// with these 32 bytes taken as zero. Any SQLite client opens such a file; any change to it breaks the seal.
// An attachment (attachment.h) may follow the database; it has a digest of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap::recording {

inline constexpr size_t seal_size = 32;
inline constexpr uint32_t page_size = 4096;
inline constexpr uint64_t max_recording_size = uint64_t{4} << 30;

// Writes the seal into a finished database file.
Status seal_file(int fd, const std::string& path);

// The size of the database in a file of `size` bytes that begins with `head` (its first page, or all of a
// shorter file). Checks, in this order: SQLite file, application id, schema version, layout, size. Every
// error is of kind `corrupt` and says which of these failed.
Result<size_t> database_size(std::string_view head, uint64_t size, const std::string& path);

// Checks a whole file: as database_size, then what follows the database (nothing or an attachment that
// belongs to it), then the seal. Gives the size of the database.
Result<size_t> check_seal(std::span<const std::byte> content, const std::string& path);

}  // namespace hap::recording
