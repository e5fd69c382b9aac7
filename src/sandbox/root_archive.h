// Unpacking the root file system a user's service brings along.
#pragma once

#include <string>

#include "hap/result.h"

namespace hap::sandbox {

// Unpacks into `folder`, which is made anew. `archive` is a tar (compressed or not) of a root file system, or
// of an image: an OCI layout (index.json) or what `docker save` writes (manifest.json), whose layers are
// applied in order with their whiteouts. Errors: `usage` when the archive is none of these.
Status unpack_root(const std::string& archive, const std::string& folder);

}  // namespace hap::sandbox
