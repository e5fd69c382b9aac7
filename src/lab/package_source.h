// Downloading single Debian packages without touching the machine's own apt state, as any user. Signatures
// are verified by apt as always.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "hap/result.h"
#include "lab/apt_sources.h"

namespace hap::lab {

struct PackageRecord {
  std::string name;
  std::string version;
  std::vector<std::string> depends;  // names of the first alternatives
  uint64_t download_bytes = 0;
  uint64_t installed_bytes = 0;
};

// One paragraph of `apt-cache show`.
Result<PackageRecord> parse_package_record(const std::string& text);

class PackageSource {
 public:
  // Keeps its state in `folder` and fetches the package lists.
  static Result<PackageSource> open(const std::string& folder, const std::vector<AptSource>& sources,
                                    const CancelToken& cancel);
  // The version that would be installed.
  Result<PackageRecord> show(const std::string& package, const CancelToken& cancel) const;
  // Downloads name=version into `folder`; returns the file's path.
  Result<std::string> download(const PackageRecord& package, const std::string& folder,
                               const CancelToken& cancel) const;

 private:
  PackageSource(std::string folder, std::vector<std::string> options)
      : folder_(std::move(folder)), options_(std::move(options)) {}
  std::vector<std::string> apt(const std::string& program, std::vector<std::string> arguments) const;
  std::string folder_;
  std::vector<std::string> options_;
};

// How this machine reaches archives (proxies and the like): `-o` values of apt's own configuration.
std::vector<std::string> acquire_options(const std::string& apt_config_dump);

}  // namespace hap::lab
