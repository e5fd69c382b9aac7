#include "cli/lab_index.h"

#include <filesystem>
#include <map>
#include <set>

#include "base/paths.h"
#include "hap/resolver.h"
#include "lab/hypervisor.h"

namespace hap::cli {
namespace {

namespace fs = std::filesystem;

struct DebugFile {
  std::string path;
  ImageKind kind = ImageKind::kernel;
};

bool is_indexed(const std::string& cache, const std::string& build_id) {
  return Index::open(index_path(cache, build_id)).ok();
}

// Build ids of the running kernel and modules that have no index yet.
Result<std::set<std::string>> missing_indexes(const lab::Lab& lab, const std::string& cache) {
  HAP_TRY(facts, lab.kernel_facts());
  std::set<std::string> missing;
  auto want = [&](const nlohmann::json& image) {
    auto id = image.value("build_id", std::string());
    if (!id.empty() && !is_indexed(cache, id)) missing.insert(id);
  };
  want(facts);
  for (const auto& module : facts.value("modules", nlohmann::json::array())) want(module);
  return missing;
}

// vmlinux and modules under `folder` by build id.
Result<std::map<std::string, DebugFile>> debug_files(const std::string& folder) {
  std::map<std::string, DebugFile> files;
  std::error_code ec;
  for (fs::recursive_directory_iterator walk(folder, ec); !ec && walk != fs::recursive_directory_iterator();
       walk.increment(ec)) {
    const std::string path = walk->path().string();
    const bool module = path.ends_with(".ko");
    if (!walk->is_regular_file(ec) || (!module && path.find("/vmlinux-") == std::string::npos)) continue;
    HAP_TRY(id, read_build_id(path));
    files[id] = {path, module ? ImageKind::module : ImageKind::kernel};
  }
  if (ec) return Error("listing the debug files: " + ec.message()).at(folder);
  return files;
}

// Xen's image is indexed from its symbols, which the lab keeps.
Status index_hypervisor(const lab::Lab& lab, const std::string& cache, Progress& progress) {
  if (!lab.hypervisor) return {};
  ElfInputs inputs;
  inputs.elf = lab.hypervisor->file(lab::kHypervisorSymbols);
  inputs.kind = ImageKind::hypervisor;
  HAP_TRY(id, read_build_id(inputs.elf));
  if (is_indexed(cache, id)) return {};
  progress.step("indexing functions and lines of the hypervisor");
  auto stats = build_index(inputs, index_path(cache, id));
  if (!stats) return stats.error().context("indexing the hypervisor");
  return {};
}

}  // namespace

Status index_lab_kernel(const lab::Lab& lab, bool keep_debug, Progress& progress, const CancelToken& cancel) {
  HAP_TRY(cache, cache_dir());
  HAP_CHECK(index_hypervisor(lab, cache, progress));
  HAP_TRY(missing, missing_indexes(lab, cache));
  if (missing.empty() && !keep_debug) return {};
  HAP_TRY(lab_cache, lab::LabCache::open());
  std::string entry_name;
  {
    HAP_TRY(debug, lab::build_debug_files(lab_cache, lab.spec, lab.kernel, progress, cancel));
    entry_name = debug.manifest.name;
    HAP_TRY(files, debug_files(debug.path));
    progress.step("indexing functions and lines of the kernel and " + std::to_string(files.size()) +
                  " files");
    uint64_t done = 0;
    for (const auto& id : missing) {
      HAP_CHECK(cancel.check());
      const auto file = files.find(id);
      if (file == files.end()) {
        progress.note("no debug symbols for the image with build id " + id);
        continue;
      }
      ElfInputs inputs;
      inputs.elf = file->second.path;
      inputs.kind = file->second.kind;
      auto stats = build_index(inputs, index_path(cache, id));
      if (!stats) return stats.error().context("indexing " + file->second.path);
      progress.advance(++done, missing.size());
    }
  }
  if (!keep_debug) HAP_CHECK(lab_cache.remove(entry_name));
  progress.done();
  return {};
}

}  // namespace hap::cli
