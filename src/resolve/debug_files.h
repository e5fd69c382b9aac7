// Finds the ELF file and the separate debug file of an image in file trees.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hap/resolver.h"

namespace hap::resolve {

struct ImageFiles {
  std::string elf;
  std::string debug_file;  // may be empty
};

// Looks for the image under each root, by path, in the places where distributions put debug files
// (/usr/lib/debug/.build-id, /usr/lib/debug/boot, /usr/lib/debug/lib/modules) and by .gnu_debuglink. A file
// with another build id is never returned. Errors say where was looked.
Result<ImageFiles> find_image_files(const ImageRef& image, const std::vector<std::string>& roots,
                                    bool debuginfod);

}  // namespace hap::resolve
