#include "cli/userland_images.h"

#include <filesystem>

#include "base/file.h"
#include "base/temp_dir.h"
#include "hap/resolver.h"

namespace hap::cli {

UserlandImages UserlandImages::open(const lab::Lab& lab, std::string cache, const CancelToken& cancel) {
  UserlandImages images(lab, std::move(cache), cancel);
  if (const auto text = read_file(images.memory_path())) {
    images.known_ = nlohmann::json::parse(*text, nullptr, false);
    if (!images.known_.is_object()) images.known_ = nlohmann::json::object();
  }
  return images;
}

std::string UserlandImages::memory_path() const {
  return cache_ + "/index/" + std::filesystem::path(lab_.userland.path).filename().string() + ".json";
}

std::string UserlandImages::build_id(const std::string& guest_path) {
  if (guest_path.empty() || guest_path[0] != '/') return "";
  if (const auto found = known_.find(guest_path); found != known_.end() && found->is_string()) return *found;
  const auto id = index_file(guest_path);
  // A file that is no ELF or not in the image has no build id; its code is reported without names.
  known_[guest_path] = id ? *id : "";
  changed_ = true;
  return id ? *id : "";
}

Result<std::string> UserlandImages::index_file(const std::string& guest_path) const {
  HAP_TRY(dir, TempDir::create(cache_ + "/tmp"));
  const std::string local = dir.file(std::filesystem::path(guest_path).filename());
  HAP_CHECK(lab::extract_guest_file(lab_.userland, guest_path, local, cancel_));
  HAP_TRY(id, read_build_id(local));
  const std::string out = index_path(cache_, id);
  std::error_code code;
  if (!std::filesystem::exists(out, code)) {
    HAP_CHECK(make_dirs(std::filesystem::path(out).parent_path()));
    ElfInputs inputs;
    inputs.elf = local;
    HAP_TRY(stats, build_index(inputs, out));
    (void)stats;
  }
  return id;
}

Status UserlandImages::save() const {
  if (!changed_) return {};
  HAP_CHECK(make_dirs(cache_ + "/index"));
  return write_file_atomic(memory_path(), known_.dump(1));
}

}  // namespace hap::cli
