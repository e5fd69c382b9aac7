#include "sandbox/root_archive.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "base/file.h"
#include "base/subprocess.h"

namespace hap::sandbox {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* whiteout = ".wh.";
constexpr const char* opaque = ".wh..wh..opq";

Result<std::string> tar(std::vector<std::string> arguments) {
  SpawnOptions options;
  options.argv = {"tar"};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  auto output = run_checked(options);
  if (!output) {
    return Error(output.error().context("unpacking the service's root file system"))
        .of_kind(ErrorKind::usage);
  }
  return output;
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// sha256:... -> blobs/sha256/...; anything else is no digest of a layout.
Result<std::string> blob_path(const std::string& staging, const std::string& digest) {
  const size_t colon = digest.find(':');
  const std::string hex = colon == std::string::npos ? "" : digest.substr(colon + 1);
  if (digest.rfind("sha256:", 0) != 0 || hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Error("the image refers to something that is no digest", ErrorKind::usage)
        .at(digest.substr(0, 80));
  }
  return staging + "/blobs/sha256/" + hex;
}

Result<json> read_json(const std::string& path) {
  HAP_TRY(text, read_file(path, size_t{16} << 20));
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) return Error("the image's description is damaged", ErrorKind::usage).at(path);
  return object;
}

Result<std::vector<std::string>> layers_of_layout(const std::string& staging) {
  HAP_TRY(index, read_json(staging + "/index.json"));
  std::vector<std::string> layers;
  try {
    HAP_TRY(manifest_path, blob_path(staging, index.at("manifests").at(0).at("digest").get<std::string>()));
    HAP_TRY(manifest, read_json(manifest_path));
    for (const auto& layer : manifest.at("layers")) {
      HAP_TRY(path, blob_path(staging, layer.at("digest").get<std::string>()));
      layers.push_back(path);
    }
  } catch (const json::exception& e) {
    return Error(std::string("the image's description is damaged: ") + e.what(), ErrorKind::usage);
  }
  return layers;
}

Result<std::vector<std::string>> layers_of_save(const std::string& staging) {
  HAP_TRY(manifest, read_json(staging + "/manifest.json"));
  std::vector<std::string> layers;
  try {
    for (const auto& layer : manifest.at(0).at("Layers")) {
      const std::string name = layer.get<std::string>();
      if (name.find("..") != std::string::npos)
        return Error("the image names a file outside itself", ErrorKind::usage);
      layers.push_back(staging + "/" + name);
    }
  } catch (const json::exception& e) {
    return Error(std::string("the image's description is damaged: ") + e.what(), ErrorKind::usage);
  }
  return layers;
}

bool leaves_its_root(const fs::path& path) {
  return path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
}

// Removes beneath `folder` what the layer's whiteouts take away from the layers below it.
Status apply_whiteouts(const std::string& listing, const std::string& folder) {
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    const fs::path path = fs::path(line).lexically_normal();
    const std::string name = path.filename().string();
    if (name.rfind(whiteout, 0) != 0 || leaves_its_root(path)) continue;
    const std::string parent = folder + "/" + path.parent_path().string();
    if (name != opaque) {
      HAP_CHECK(remove_tree(parent + "/" + name.substr(4)));
      continue;
    }
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(parent, code))
      HAP_CHECK(remove_tree(entry.path().string()));
  }
  return {};
}

Status unpack_layers(const std::vector<std::string>& layers, const std::string& folder) {
  for (const auto& layer : layers) {
    HAP_TRY(listing, tar({"-tf", layer}));
    HAP_CHECK(apply_whiteouts(listing, folder));
    HAP_CHECK(tar({"-xf", layer, "-C", folder, "--exclude=.wh.*"}));
  }
  return {};
}

}  // namespace

Status unpack_root(const std::string& archive, const std::string& folder) {
  HAP_CHECK(remove_tree(folder));
  HAP_CHECK(make_dirs(folder));
  HAP_CHECK(tar({"-xf", archive, "-C", folder}));
  const bool layout = exists(folder + "/index.json");
  const bool saved = !layout && exists(folder + "/manifest.json");
  if (!layout && !saved) {
    if (exists(folder + "/usr") || exists(folder + "/bin")) return {};
    return Error("the archive holds neither a root file system nor an image", ErrorKind::usage).at(archive);
  }
  const std::string staging = folder + ".image";
  HAP_CHECK(remove_tree(staging));
  std::error_code code;
  fs::rename(folder, staging, code);
  if (code) return Error("cannot set the image aside: " + code.message()).at(folder);
  HAP_CHECK(make_dirs(folder));
  HAP_TRY(layers, layout ? layers_of_layout(staging) : layers_of_save(staging));
  HAP_CHECK(unpack_layers(layers, folder));
  return remove_tree(staging);
}

}  // namespace hap::sandbox
