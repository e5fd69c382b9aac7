#include "lab/manifest.h"

#include <algorithm>
#include <filesystem>

#include "base/digest.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSchema = "hapmeter.lab/1";

Error damaged(const std::string& what) {
  return Error("the lab's cache is damaged: " + what, ErrorKind::corrupt);
}

// Stays within the folder, whatever a manifest says.
bool is_safe_path(const std::string& path) {
  if (path.empty() || path[0] == '/') return false;
  fs::path parts(path);
  return std::none_of(parts.begin(), parts.end(), [](const fs::path& part) { return part == ".."; });
}

}  // namespace

std::string Manifest::to_text() const {
  json rows = json::array();
  for (const auto& file : files)
    rows.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  return json{{"schema", kSchema}, {"name", name}, {"inputs", inputs}, {"facts", facts}, {"files", rows}}
             .dump(2) +
         "\n";
}

Result<Manifest> Manifest::parse(const std::string& text) {
  try {
    json object = json::parse(text);
    if (object.at("schema") != kSchema) return damaged("the manifest is of another version");
    Manifest manifest{object.at("name"), object.at("inputs"), object.at("facts"), {}};
    for (const auto& row : object.at("files")) {
      ManifestFile file{row.at("path"), row.at("bytes"), row.at("sha256")};
      if (!is_safe_path(file.path)) return damaged("the manifest names a file outside of its folder");
      manifest.files.push_back(file);
    }
    return manifest;
  } catch (const json::exception&) {
    return damaged("the manifest does not parse");
  }
}

Result<std::vector<ManifestFile>> list_files(const std::string& folder) {
  std::vector<ManifestFile> files;
  std::error_code ec;
  fs::recursive_directory_iterator walk(folder, ec);
  if (ec) return Error("listing: " + ec.message()).at(folder);
  for (; walk != fs::recursive_directory_iterator(); walk.increment(ec)) {
    if (ec) return Error("listing: " + ec.message()).at(folder);
    if (!walk->is_regular_file(ec) || walk->is_symlink(ec)) continue;
    std::string path = walk->path().string();
    ManifestFile file{path.substr(folder.size() + 1), walk->file_size(ec), ""};
    // The lock of a temporary folder is no content.
    if (file.path == kManifestName || file.path == ".owner") continue;
    HAP_TRY(hash, sha256_file(path));
    file.sha256 = hash;
    files.push_back(file);
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

Status verify_files(const std::string& folder, const Manifest& manifest, bool thorough) {
  for (const auto& file : manifest.files) {
    std::string path = folder + "/" + file.path;
    std::error_code ec;
    uint64_t bytes = fs::file_size(path, ec);
    if (ec) return damaged("a file is missing").at(path);
    if (bytes != file.bytes) return damaged("a file has another size").at(path);
    if (!thorough && bytes > kAlwaysHashedBytes) continue;
    auto hash = sha256_file(path);
    if (!hash) return hash.error();
    if (*hash != file.sha256) return damaged("a file has other content").at(path);
  }
  return {};
}

}  // namespace hap::lab
