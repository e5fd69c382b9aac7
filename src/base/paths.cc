#include "base/paths.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/file.h"

namespace hap {
namespace fs = std::filesystem;
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path executable_dir() {
  std::error_code code;
  return fs::read_symlink("/proc/self/exe", code).parent_path();
}

bool is_there(const fs::path& path) {
  std::error_code code;
  return fs::exists(path, code);
}

}  // namespace

Result<std::string> cache_dir() {
  std::string dir = environment("HAP_CACHE_DIR");
  if (dir.empty() && !environment("XDG_CACHE_HOME").empty())
    dir = environment("XDG_CACHE_HOME") + "/hapmeter";
  if (dir.empty() && !environment("HOME").empty()) dir = environment("HOME") + "/.cache/hapmeter";
  if (dir.empty()) return Error("no cache folder: HOME is not set").hint("set HAP_CACHE_DIR");
  HAP_CHECK(make_dirs(dir));
  return dir;
}

Result<std::string> data_dir() {
  if (auto dir = environment("HAP_DATA_DIR"); !dir.empty()) return dir;
  const fs::path here = executable_dir();
  // Installed: PREFIX/bin/hap. Developer: SOURCE/build/<preset>/src/cli/hap, tests one level elsewhere.
  if (is_there(here / "../share/hapmeter/lab"))
    return fs::weakly_canonical(here / "../share/hapmeter").string();
  for (fs::path dir = here; dir.has_relative_path(); dir = dir.parent_path()) {
    if (is_there(dir / "data") && is_there(dir / "include/hap/result.h")) return (dir / "data").string();
  }
  return Error("hapmeter's data folder was not found").hint("set HAP_DATA_DIR to the `data` folder");
}

Result<std::string> companion(const std::string& file_name) {
  const fs::path here = executable_dir();
  std::vector<fs::path> places;
  if (auto dir = environment("HAP_LIBEXEC_DIR"); !dir.empty()) places.emplace_back(dir);
  places.push_back(here / "../libexec/hapmeter");
  for (fs::path dir = here; dir.has_relative_path(); dir = dir.parent_path()) {
    if (!is_there(dir / "CMakeCache.txt")) continue;
    places.insert(places.end(), {dir / "src/agent", dir / "emulator-plugin", dir / "bpf"});
    break;
  }
  for (const auto& place : places) {
    if (is_there(place / file_name)) return fs::weakly_canonical(place / file_name).string();
  }
  return Error(file_name + " was not found beside hap").hint("build or install the whole project");
}

}  // namespace hap
