#include "lab/kernel.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/paths.h"
#include "lab/apt_sources.h"
#include "lab/archive.h"
#include "lab/ext4.h"
#include "lab/module_order.h"
#include "lab/package_source.h"
#include "lab/step.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;

// Raised when what this file makes of the same package changes.
constexpr int kKernelVersion = 1;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kSpaceForKernel = 1200 * kMiB;
constexpr uint64_t kSpaceForDebug = 1500 * kMiB;
constexpr uint64_t kSpaceForFullDebug = 4000 * kMiB;

Result<nlohmann::json> kernel_inputs(const LabSpec& spec) {
  HAP_TRY(data, data_dir());
  HAP_TRY(modules, read_file(data + "/lab/modules.txt"));
  if (!spec.hypervisor.empty()) {
    HAP_TRY(more, read_file(data + "/lab/modules-" + spec.hypervisor + ".txt"));
    modules += more;
  }
  return nlohmann::json{{"suite", spec.suite},
                        {"package", kernel_package(spec)},
                        {"modules", modules},
                        {"version", kKernelVersion}};
}

std::string kernel_kind(const LabSpec& spec) {
  return "kernel-" + spec.suite + "-" + spec.kernel + (spec.hypervisor.empty() ? "" : "-" + spec.hypervisor);
}

// A meta package (linux-image-cloud-amd64) depends on the package with the version in its name.
Result<PackageRecord> real_kernel(const PackageSource& source, const std::string& package,
                                  const CancelToken& cancel) {
  HAP_TRY(record, source.show(package, cancel));
  for (const auto& name : record.depends) {
    if (name.rfind("linux-image-", 0) == 0 && name.size() > 12 && name[12] >= '0' && name[12] <= '9') {
      return source.show(name, cancel);
    }
  }
  return record;
}

// The folder <something>/lib/modules/<release> of an unpacked package.
Result<std::string> modules_folder(const std::string& unpacked) {
  for (const char* place : {"/usr/lib/modules", "/lib/modules"}) {
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(unpacked + place, ec)) return entry.path().string();
  }
  return Error("the kernel package has no modules").at(unpacked);
}

Status move_file(const std::string& from, const std::string& to) {
  std::error_code ec;
  fs::rename(from, to, ec);
  if (ec) return Error("moving: " + ec.message()).at(from);
  return {};
}

Status copy_file(const std::string& from, const std::string& to) {
  std::error_code ec;
  fs::copy_file(from, to, ec);
  if (ec) return Error("copying: " + ec.message()).at(from);
  return {};
}

// Modules are stored unpacked: loading one while measuring must not mean running a decompressor.
Status unpack_modules(const std::string& folder, const CancelToken& cancel) {
  std::vector<std::string> packed;
  std::error_code ec;
  for (fs::recursive_directory_iterator walk(folder, ec); !ec && walk != fs::recursive_directory_iterator();
       walk.increment(ec)) {
    std::string path = walk->path().string();
    if (path.ends_with(".ko.xz") || path.ends_with(".ko.zst") || path.ends_with(".ko.gz"))
      packed.push_back(path);
  }
  for (const auto& path : packed) {
    HAP_CHECK(cancel.check());
    HAP_CHECK(decompress_file(path, path.substr(0, path.rfind('.'))));
    HAP_CHECK(remove_tree(path));
  }
  return {};
}

// The modules for the initramfs, flat, and their order with parameters.
Result<nlohmann::json> collect_preload(const std::string& modules, const std::string& wanted_text,
                                       const std::string& folder) {
  HAP_TRY(dependencies, read_file(modules + "/modules.dep"));
  HAP_TRY(builtin, read_file(modules + "/modules.builtin"));
  HAP_TRY(files, ModuleTree(dependencies, builtin).order(parse_wanted_modules(wanted_text)));
  HAP_CHECK(make_dirs(folder));
  std::string order;
  auto paths = nlohmann::json::array();
  for (const auto& file : files) {
    std::string name = fs::path(file.path).filename().string();
    HAP_CHECK(copy_file(modules + "/" + file.path, folder + "/" + name));
    order += name + (file.parameters.empty() ? "" : " " + file.parameters) + "\n";
    paths.push_back(file.path);
  }
  HAP_CHECK(write_file_atomic(folder + "/order", order));
  return paths;
}

Result<nlohmann::json> build(const std::string& folder, const LabSpec& spec,
                             const std::string& wanted_modules, Progress& progress,
                             const CancelToken& cancel) {
  HAP_TRY(sources, find_sources(spec.suite, spec.mirror));
  if (!find_program("depmod")) {
    return Error("depmod is missing", ErrorKind::unsupported).hint("install the package kmod");
  }
  std::string work = folder + "/../work";
  progress.step("downloading the kernel " + kernel_package(spec) + " of " + spec.suite);
  HAP_TRY(source, PackageSource::open(work + "/apt", sources, cancel));
  HAP_TRY(record, real_kernel(source, kernel_package(spec), cancel));
  HAP_TRY(package, source.download(record, work + "/package", cancel));
  progress.step("unpacking " + record.name);
  HAP_CHECK(run_step(command({"dpkg-deb", "--extract", package, work + "/unpacked"}), work + "/unpack.log",
                     cancel));
  HAP_TRY(original, modules_folder(work + "/unpacked"));
  std::string release = fs::path(original).filename().string();
  // depmod looks in lib/modules, whatever the package's layout.
  std::string modules = work + "/base/lib/modules/" + release;
  HAP_CHECK(make_dirs(work + "/base/lib/modules"));
  HAP_CHECK(move_file(original, modules));
  HAP_CHECK(unpack_modules(modules, cancel));
  HAP_CHECK(
      run_step(command({"depmod", "--basedir", work + "/base", release}), work + "/depmod.log", cancel));
  HAP_TRY(preload, collect_preload(modules, wanted_modules, folder + "/" + kPreload));
  HAP_CHECK(copy_file(work + "/unpacked/boot/vmlinuz-" + release, folder + "/" + kVmlinuz));
  HAP_CHECK(copy_file(work + "/unpacked/boot/config-" + release, folder + "/config"));
  HAP_CHECK(copy_file(folder + "/" + kVmlinuz, modules + "/vmlinuz"));
  progress.step("writing the disk of kernel modules");
  HAP_CHECK(make_ext4_from_folder(work + "/base/lib/modules", folder + "/" + kKernelDisk, cancel));
  HAP_CHECK(remove_tree(work));
  return nlohmann::json{{"release", release},
                        {"package", record.name},
                        {"version", record.version},
                        {"suite", spec.suite},
                        {"modules", preload}};
}

// Whether a file of the debug package belongs to what the machine loads.
bool is_wanted_debug_file(const std::string& path, const std::vector<std::string>& modules) {
  size_t boot = path.find("/boot/vmlinux-");
  if (boot != std::string::npos) return true;
  size_t kernel = path.find("/kernel/");
  if (path.find("/lib/modules/") == std::string::npos || kernel == std::string::npos) return false;
  std::string module = path.substr(kernel + 1);
  return std::any_of(modules.begin(), modules.end(), [&](const std::string& wanted) {
    return module.rfind(wanted.substr(0, wanted.find(".ko")) + ".ko", 0) == 0;
  });
}

Result<nlohmann::json> build_debug(const std::string& folder, const LabSpec& spec,
                                   const nlohmann::json& kernel, Progress& progress,
                                   const CancelToken& cancel) {
  HAP_TRY(sources, find_sources(spec.suite, spec.mirror));
  std::string work = folder + "/../work";
  HAP_TRY(source, PackageSource::open(work + "/apt", sources, cancel));
  HAP_TRY(record, source.show(kernel.at("package").get<std::string>() + "-dbg", cancel));
  if (record.version != kernel.at("version").get<std::string>()) {
    return Error("the mirror has debug symbols for " + record.version + ", but the lab's kernel is " +
                 kernel.at("version").get<std::string>())
        .hint("run `hap lab build --again`, which takes the mirror's current kernel");
  }
  progress.step("downloading the kernel's debug symbols (" + format_bytes(record.download_bytes) + ")");
  HAP_TRY(package, source.download(record, work + "/package", cancel));
  progress.step("unpacking the debug symbols of the kernel and of the modules in use");
  auto modules = kernel.at("modules").get<std::vector<std::string>>();
  HAP_CHECK(extract_package(
      package, folder, [&](const std::string& path) { return is_wanted_debug_file(path, modules); }, cancel));
  HAP_CHECK(remove_tree(work));
  return nlohmann::json{{"package", record.name}, {"version", record.version}};
}

}  // namespace

Result<CacheEntry> build_kernel(const LabCache& cache, const LabSpec& spec, bool again, Progress& progress,
                                const CancelToken& cancel) {
  HAP_TRY(inputs, kernel_inputs(spec));
  auto wanted = inputs["modules"].get<std::string>();
  return cache.find_or_build(
      LabCache::entry_name(kernel_kind(spec), inputs), inputs, kSpaceForKernel,
      [&](const std::string& folder) { return build(folder, spec, wanted, progress, cancel); }, progress,
      cancel, again);
}

Result<CacheEntry> find_kernel(const LabCache& cache, const LabSpec& spec) {
  HAP_TRY(inputs, kernel_inputs(spec));
  HAP_TRY(entry, cache.find(LabCache::entry_name(kernel_kind(spec), inputs)));
  if (!entry) {
    const std::string beneath = spec.hypervisor.empty() ? "" : " for " + spec.hypervisor;
    return Error("the lab has no kernel `" + spec.kernel + "` of " + spec.suite + beneath,
                 ErrorKind::unsupported)
        .hint("run `hap lab build" + spec_options(spec) + "`");
  }
  return std::move(*entry);
}

Result<CacheEntry> build_debug_files(const LabCache& cache, const LabSpec& spec, const CacheEntry& kernel,
                                     Progress& progress, const CancelToken& cancel) {
  const auto& facts = kernel.manifest.facts;
  nlohmann::json inputs{
      {"package", facts["package"]}, {"version", facts["version"]}, {"modules", facts["modules"]}};
  uint64_t space = spec.kernel == "cloud" ? kSpaceForDebug : kSpaceForFullDebug;
  return cache.find_or_build(
      LabCache::entry_name("debug-" + spec.suite + "-" + spec.kernel, inputs), inputs, space,
      [&](const std::string& folder) { return build_debug(folder, spec, facts, progress, cancel); }, progress,
      cancel);
}

}  // namespace hap::lab
