#include "hap/profile.h"

namespace hap {

std::string subsystem_of_path(std::string_view path) {
  while (path.substr(0, 2) == "./") path.remove_prefix(2);
  const size_t name = path.rfind('/');
  if (name == std::string_view::npos) return std::string(path.empty() ? "[no source]" : ".");
  const std::string_view folder = path.substr(0, name);
  const size_t first = folder.find('/', 1);
  if (first == std::string_view::npos) return std::string(folder);
  const size_t second = folder.find('/', first + 1);
  return std::string(folder.substr(0, second));
}

}  // namespace hap
