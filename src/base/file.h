// Whole-file reading and atomic writing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap {

// Reads everything up to `limit` bytes; a larger file is an error. Works on procfs and sysfs, whose files
// report no size.
Result<std::string> read_file(const std::string& path, size_t limit = size_t{1} << 30);

// Writes through a temporary file in the same folder, fsync and rename: readers see the old content or the
// new, never a part.
Status write_file_atomic(const std::string& path, std::string_view content, unsigned mode = 0644);

// Creates the folder and its parents; existing folders are fine.
Status make_dirs(const std::string& path);

// Free bytes for this user on the file system of `path` (its nearest existing parent).
Result<uint64_t> free_disk_bytes(const std::string& path);

// Removes a file or a whole tree; nothing there is not an error. Does not follow symbolic links.
Status remove_tree(const std::string& path);

}  // namespace hap
