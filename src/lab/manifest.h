// The list of what a folder of the lab's cache must contain, so that damage is noticed before it misleads.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::lab {

inline constexpr const char* kManifestName = "manifest.json";
// Files up to this size are compared by content each time; larger ones by size, unless asked for more.
inline constexpr uint64_t kAlwaysHashedBytes = uint64_t{1} << 20;

struct ManifestFile {
  std::string path;  // relative to the folder
  uint64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string name;       // the folder's name in the cache
  nlohmann::json inputs;  // what went in: the folder's name ends with a hash of it
  nlohmann::json facts;   // what came out: versions and the like
  std::vector<ManifestFile> files;

  std::string to_text() const;
  static Result<Manifest> parse(const std::string& text);
};

// Lists and hashes every regular file below `folder`.
Result<std::vector<ManifestFile>> list_files(const std::string& folder);

// Compares a folder with its manifest. `thorough` hashes the large files, too. Error of kind `corrupt`.
Status verify_files(const std::string& folder, const Manifest& manifest, bool thorough);

}  // namespace hap::lab
