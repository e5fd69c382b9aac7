#include "lab/hypervisor.h"

#include <filesystem>

#include "base/file.h"
#include "lab/apt_sources.h"
#include "lab/archive.h"
#include "lab/package_source.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;

// Raised when what this file makes of the same package changes.
constexpr int kHypervisorVersion = 2;
constexpr uint64_t kSpaceNeeded = uint64_t{300} << 20;
// The release whose tools are in the userland (data/lab/packages.txt).
constexpr const char* kPackage = "xen-hypervisor-4.20-amd64";

nlohmann::json hypervisor_inputs() {
  return {{"suite", kUserlandSuite}, {"package", kPackage}, {"version", kHypervisorVersion}};
}

std::string entry_name(const LabSpec& spec) {
  return LabCache::entry_name(std::string("hypervisor-") + kUserlandSuite + "-" + spec.hypervisor,
                              hypervisor_inputs());
}

// Moves (or unpacks) the file below `folder` whose name begins and ends like this.
Status take(const std::string& folder, const std::string& begin, const std::string& end,
            const std::string& to) {
  std::error_code ec;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ec)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(end)) continue;
    if (end == ".gz") return decompress_file(entry.path().string(), to);
    fs::rename(entry.path(), to, ec);
    return ec ? Status(Error("moving: " + ec.message()).at(name)) : Status();
  }
  return Error("the hypervisor's package has no file " + begin + "..." + end).at(folder);
}

// The package's files in .../boot, below a folder that is returned.
Result<std::string> unpack(const PackageSource& source, const PackageRecord& record, const std::string& work,
                           const CancelToken& cancel) {
  HAP_TRY(package, source.download(record, work + "/package-" + record.name, cancel));
  const std::string folder = work + "/" + record.name;
  HAP_CHECK(extract_package(
      package, folder, [](const std::string& path) { return path.find("/boot/") != std::string::npos; },
      cancel));
  return folder;
}

Result<nlohmann::json> build(const std::string& folder, const LabSpec& spec, Progress& progress,
                             const CancelToken& cancel) {
  HAP_TRY(sources, find_sources(kUserlandSuite, spec.mirror));
  const std::string work = folder + "/../work";
  progress.step("downloading the hypervisor and its symbols");
  HAP_TRY(source, PackageSource::open(work + "/apt", sources, cancel));
  HAP_TRY(image, source.show(kPackage, cancel));
  HAP_TRY(symbols, source.show(std::string(kPackage) + "-dbg", cancel));
  if (image.version != symbols.version) {
    return Error("the mirror has symbols for version " + symbols.version +
                 " of the hypervisor, but its image is " + image.version)
        .hint("wait until the mirror is complete, or name another with --mirror");
  }
  HAP_TRY(image_files, unpack(source, image, work, cancel));
  HAP_TRY(symbol_files, unpack(source, symbols, work, cancel));
  HAP_CHECK(take(image_files, "xen-4", ".gz", folder + "/" + kHypervisorImage));
  HAP_CHECK(take(symbol_files, "xen-syms-4", "amd64", folder + "/" + kHypervisorSymbols));
  HAP_CHECK(take(symbol_files, "xen-syms-4", ".map", folder + "/" + kHypervisorMap));
  HAP_CHECK(remove_tree(work));
  return nlohmann::json{{"package", image.name}, {"version", image.version}, {"suite", kUserlandSuite}};
}

}  // namespace

Result<std::optional<CacheEntry>> build_hypervisor(const LabCache& cache, const LabSpec& spec, bool again,
                                                   Progress& progress, const CancelToken& cancel) {
  if (spec.hypervisor.empty()) return std::optional<CacheEntry>();
  HAP_TRY(entry, cache.find_or_build(
                     entry_name(spec), hypervisor_inputs(), kSpaceNeeded,
                     [&](const std::string& folder) { return build(folder, spec, progress, cancel); },
                     progress, cancel, again));
  return std::optional<CacheEntry>(std::move(entry));
}

Result<std::optional<CacheEntry>> find_hypervisor(const LabCache& cache, const LabSpec& spec) {
  if (spec.hypervisor.empty()) return std::optional<CacheEntry>();
  HAP_TRY(entry, cache.find(entry_name(spec)));
  if (!entry) {
    return Error("the lab has no hypervisor `" + spec.hypervisor + "`", ErrorKind::unsupported)
        .hint("run `hap lab build" + spec_options(spec) + "`");
  }
  return std::optional<CacheEntry>(std::move(*entry));
}

}  // namespace hap::lab
