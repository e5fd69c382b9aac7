// Writes a CodeModel as an index file.
#pragma once

#include <string>

#include "hap/resolver.h"
#include "resolve/code_model.h"

namespace hap::resolve {

// Atomic: a temporary file beside `path`, then rename. Errors: the disk is full, or the image is larger than
// 32-bit distances can express.
Result<IndexStats> write_index(const CodeModel& model, double build_seconds, const std::string& path);

}  // namespace hap::resolve
