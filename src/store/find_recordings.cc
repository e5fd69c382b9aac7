#include <algorithm>
#include <filesystem>

#include "store/cell.h"

namespace hap::store {
namespace fs = std::filesystem;

Result<std::vector<std::string>> find_recordings(const std::vector<std::string>& paths) {
  std::vector<std::string> found;
  for (const auto& path : paths) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (!fs::exists(status)) {
      return Error("no such recording or folder", ErrorKind::usage)
          .at(path)
          .hint("make one with `hap measure`");
    }
    if (!fs::is_directory(status)) {
      found.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".hap" && entry->is_regular_file(error))
        inside.push_back(entry->path());
    }
    if (inside.empty()) {
      return Error("no recording in this folder", ErrorKind::usage).at(path).hint("recordings end in .hap");
    }
    std::sort(inside.begin(), inside.end());
    found.insert(found.end(), inside.begin(), inside.end());
  }
  return found;
}

}  // namespace hap::store
