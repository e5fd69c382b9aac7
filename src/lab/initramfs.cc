#include "lab/initramfs.h"

#include <sstream>

#include "base/file.h"
#include "lab/cpio.h"
#include "lab/kernel.h"

namespace hap::lab {

Result<std::string> make_initramfs(const CacheEntry& kernel, const std::string& agent_path) {
  HAP_TRY(agent, read_file(agent_path));
  HAP_TRY(order, read_file(kernel.file(std::string(kPreload) + "/order")));
  CpioWriter archive;
  archive.add_folder("dev");
  archive.add_character_device("dev/console", 5, 1);  // the first process's standard streams
  archive.add_file("init", agent, 0755);
  archive.add_folder("hap");
  archive.add_folder("hap/m");
  std::string list;
  std::istringstream lines(order);
  for (std::string line; std::getline(lines, line);) {
    std::string name = line.substr(0, line.find(' '));
    HAP_TRY(module, read_file(kernel.file(std::string(kPreload) + "/" + name)));
    archive.add_file("hap/m/" + name, module);
    list += "/hap/m/" + line + "\n";
  }
  archive.add_file("hap/modules", list);
  return archive.finish();
}

}  // namespace hap::lab
