#include "resolve/debug_files.h"

#include <filesystem>

#include "base/subprocess.h"
#include "resolve/elf_file.h"

namespace hap::resolve {

namespace fs = std::filesystem;

namespace {

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool has_build_id(const std::string& path, const std::string& wanted) {
  if (!is_file(path)) return false;
  if (wanted.empty()) return true;
  const auto id = read_build_id(path);
  return id && *id == wanted;
}

// True when the file holds machine code and not only its description.
bool has_code(const std::string& path) {
  const auto elf = ElfFile::open(path);
  if (!elf) return false;
  const auto* text = elf->section(".text");
  return text != nullptr && text->type != 8;  // SHT_NOBITS
}

std::string build_id_path(const std::string& root, const std::string& build_id) {
  if (build_id.size() < 4 || build_id.find('/') != std::string::npos) return {};
  return root + "/usr/lib/debug/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) + ".debug";
}

// All files below `folder` with this name; follows no links.
std::vector<std::string> files_named(const std::string& folder, const std::string& name) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end;
       !error && at != end; at.increment(error)) {
    if (at->path().filename() == name && at->is_regular_file(error)) found.push_back(at->path().string());
  }
  return found;
}

std::string find_kernel_file(const ImageRef& image, const std::string& root) {
  const std::string by_id = build_id_path(root, image.build_id);
  if (!by_id.empty() && has_build_id(by_id, image.build_id) && has_code(by_id)) return by_id;
  if (image.kind != ImageKind::module) {
    const char* prefix = image.kind == ImageKind::kernel ? "vmlinux" : "xen-syms";
    std::error_code error;
    for (const char* folder : {"/usr/lib/debug/boot", "/usr/lib/debug", "/boot"}) {
      for (fs::directory_iterator at(root + folder, error), end; !error && at != end; at.increment(error)) {
        const std::string path = at->path().string();
        if (at->path().filename().string().starts_with(prefix) && has_build_id(path, image.build_id))
          return path;
      }
    }
    return {};
  }
  // /proc/modules writes '_' for '-' in names.
  std::string dashed = fs::path(image.path).filename().string();
  if (const auto dot = dashed.find(".ko"); dot != std::string::npos) dashed.resize(dot);
  const std::string plain = dashed;
  for (auto& c : dashed) c = c == '_' ? '-' : c;
  for (const auto& name : {plain + ".ko", dashed + ".ko"}) {
    for (const char* folder : {"/usr/lib/debug/lib/modules", "/lib/modules"}) {
      for (const auto& path : files_named(root + folder, name)) {
        if (has_build_id(path, image.build_id)) return path;
      }
    }
  }
  return {};
}

std::string find_debug_file(const std::string& elf_path, const std::string& build_id,
                            const std::string& root) {
  const std::string by_id = build_id_path(root, build_id);
  if (!by_id.empty() && has_build_id(by_id, build_id)) return by_id;
  const auto elf = ElfFile::open(elf_path);
  if (!elf || elf->section(".debug_info") != nullptr) return {};
  const auto link = elf->debug_link();
  if (!link) return {};
  const std::string folder = fs::path(elf_path).parent_path().string();
  const std::string inside = folder.starts_with(root) ? folder.substr(root.size()) : folder;
  for (const auto& path :
       {folder + "/" + *link, folder + "/.debug/" + *link, root + "/usr/lib/debug/" + inside + "/" + *link}) {
    // Without a build id nothing but the name ties the two together; then it is not used.
    if (path != elf_path && !build_id.empty() && has_build_id(path, build_id)) return path;
  }
  return {};
}

std::string ask_debuginfod(const std::string& what, const std::string& build_id) {
  if (build_id.empty() || !find_program("debuginfod-find")) return {};
  SpawnOptions options;
  options.argv = {"debuginfod-find", what, build_id};
  const auto output = run_checked(options, std::chrono::minutes(2));
  if (!output) return {};
  std::string path = output->substr(0, output->find('\n'));
  return has_build_id(path, build_id) ? path : std::string{};
}

}  // namespace

Result<ImageFiles> find_image_files(const ImageRef& image, const std::vector<std::string>& roots,
                                    bool debuginfod) {
  ImageFiles files;
  for (auto root : roots) {
    while (root.ends_with('/')) root.pop_back();
    if (image.kind != ImageKind::user) {
      files.elf = find_kernel_file(image, root);
    } else if (image.path.starts_with('/') && has_build_id(root + image.path, image.build_id)) {
      files.elf = root + image.path;
      const auto id = read_build_id(files.elf);
      if (id) files.debug_file = find_debug_file(files.elf, *id, root);
    }
    if (!files.elf.empty()) return files;
  }
  if (debuginfod) {
    files.elf = ask_debuginfod("executable", image.build_id);
    if (!files.elf.empty()) {
      files.debug_file = ask_debuginfod("debuginfo", image.build_id);
      return files;
    }
  }
  std::string looked;
  for (const auto& root : roots) looked += (looked.empty() ? "" : ", ") + root;
  Error error = Error("no file with build id " + (image.build_id.empty() ? "(none)" : image.build_id) +
                      (looked.empty() ? "" : " under " + looked))
                    .at(image.path);
  if (image.kind != ImageKind::user) {
    return std::move(error).hint("run `hap lab build`, or install the kernel's -dbg package");
  }
  return error;
}

}  // namespace hap::resolve
