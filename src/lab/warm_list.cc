#include "lab/warm_list.h"

#include <algorithm>
#include <sstream>

namespace hap::lab {

WarmList parse_warm_list(const std::string& text) {
  WarmList list;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    if (verb == "read" && arguments.size() == 1) list.files.push_back(arguments[0]);
    if (verb == "run" && !arguments.empty()) list.commands.push_back(arguments);
  }
  return list;
}

std::vector<std::string> paths_in_ldd_output(const std::string& text) {
  std::vector<std::string> paths;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    size_t address = line.find(" (0x");
    size_t slash = line.find('/');
    if (address == std::string::npos || slash == std::string::npos || slash > address) continue;
    paths.push_back(line.substr(slash, address - slash));
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

}  // namespace hap::lab
