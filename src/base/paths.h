// Where hapmeter keeps things, by the XDG base directory specification.
#pragma once

#include <string>

#include "hap/result.h"

namespace hap {

// $HAP_CACHE_DIR, else $XDG_CACHE_HOME/hapmeter, else ~/.cache/hapmeter; created when missing.
Result<std::string> cache_dir();

// Read-only files of the project (rules, lab package lists, agent, plugin): $HAP_DATA_DIR, else the
// installed folder beside the binary (../share/hapmeter), else the source tree of a developer build.
Result<std::string> data_dir();

// Where a program that comes with hap lies (hap-agent, libhap-emulator.so): $HAP_LIBEXEC_DIR, else
// ../libexec/hapmeter beside the binary, else the build tree.
Result<std::string> companion(const std::string& file_name);

}  // namespace hap
