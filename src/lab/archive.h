// Unpacking: single compressed files, and chosen files of a Debian package.
#pragma once

#include <functional>
#include <string>

#include "base/cancel.h"
#include "hap/result.h"

namespace hap::lab {

// `from` (xz, zstd, gzip, told apart by content) to `to`.
Status decompress_file(const std::string& from, const std::string& to);

// The regular files of a .deb whose path (as "./usr/...") is `wanted`, below `folder`, without its owners.
Status extract_package(const std::string& package, const std::string& folder,
                       const std::function<bool(const std::string& path)>& wanted, const CancelToken& cancel);

}  // namespace hap::lab
