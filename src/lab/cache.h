// The lab's part of the cache: folders named after what they hold and a hash of what went in.
//
//   <cache>/lab/userland-trixie-1a2b3c4d5e6f/     a published folder is complete and never changes
//   <cache>/lab/tmp/hap-XXXXXX/                   being built; abandoned ones are removed by the next start
//   <cache>/lab/locks/<name>                      held exclusively by a builder, shared by users
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "base/temp_dir.h"
#include "base/unique_fd.h"
#include "hap/result.h"
#include "lab/manifest.h"

namespace hap::lab {

// A published folder, protected from removal while this object lives.
struct CacheEntry {
  std::string path;
  Manifest manifest;
  std::shared_ptr<UniqueFd> lock;

  std::string file(const std::string& name) const { return path + "/" + name; }
};

struct CacheRow {
  std::string name;
  uint64_t bytes = 0;  // disk space taken
  bool in_use = false;
  nlohmann::json facts;                // null when the manifest cannot be read
  std::optional<std::string> problem;  // why it is unusable
};

class LabCache {
 public:
  // Under hapmeter's cache folder; removes what killed builders left behind.
  static Result<LabCache> open();
  // For tests.
  static Result<LabCache> open_at(const std::string& folder);

  const std::string& folder() const { return folder_; }

  // `kind-hash of inputs`, the content address.
  static std::string entry_name(const std::string& kind, const nlohmann::json& inputs);

  // The entry, nothing when it was not built, or an Error of kind `corrupt` with the way out as hint.
  Result<std::optional<CacheEntry>> find(const std::string& name, bool thorough = false) const;

  using Build = std::function<Result<nlohmann::json>(const std::string& folder)>;
  // The entry if it is there and intact, otherwise `build` is called with an empty folder to fill; it returns
  // the facts for the manifest. One builder at a time: others wait for it and take its result. A damaged
  // entry is built anew, and so is any when `again`. `space_needed`: bytes that must be free before.
  Result<CacheEntry> find_or_build(const std::string& name, const nlohmann::json& inputs,
                                   uint64_t space_needed, const Build& build, Progress& progress,
                                   const CancelToken& cancel, bool again = false) const;

  std::vector<CacheRow> rows(bool thorough = false) const;
  // Removes one entry; one that is in use is an error.
  Status remove(const std::string& name) const;
  // Keeps the `keep` newest of the entries whose name starts with `prefix`; those in use stay.
  void trim(const std::string& prefix, size_t keep) const;

 private:
  explicit LabCache(std::string folder) : folder_(std::move(folder)) {}
  std::string lock_path(const std::string& name) const { return folder_ + "/locks/" + name; }
  std::string folder_;
};

// An Error that says how much is missing where, unless `needed` bytes are free in `folder`.
Status check_disk_space(const std::string& folder, uint64_t needed);
// The decision alone.
Status compare_disk_space(const std::string& folder, uint64_t needed, uint64_t free);

// "1.4 GiB"
std::string format_bytes(uint64_t bytes);

}  // namespace hap::lab
