// The root image of the lab machine: Debian packages in a read-only ext4 file system.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "hap/result.h"
#include "lab/cache.h"
#include "lab/spec.h"

namespace hap::lab {

inline constexpr const char* kRootImage = "root.ext4";

// Package names, one a line; # starts a comment.
std::vector<std::string> parse_package_list(const std::string& text);

// The image for the packages listed in <data>/lab/packages.txt, out of the cache or built. Works as root and,
// where user namespaces are allowed, as a plain user.
Result<CacheEntry> build_userland(const LabCache& cache, const LabSpec& spec, bool again, Progress& progress,
                                  const CancelToken& cancel);
// Only if it was built.
Result<CacheEntry> find_userland(const LabCache& cache);

}  // namespace hap::lab
