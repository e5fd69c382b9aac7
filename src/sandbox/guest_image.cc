#include "sandbox/guest_image.h"

#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "lab/cpio.h"
#include "lab/module_order.h"

namespace hap::sandbox {
namespace {

Error not_in_lab(const std::string& path) {
  return Error("nested guests boot from the lab machine's own disks, which are not there",
               ErrorKind::unsupported)
      .at(path)
      .hint("measure this sandbox with `hap measure`, which runs it in the lab machine");
}

Result<std::vector<lab::ModuleFile>> driver_files(const std::string& folder,
                                                  const std::vector<std::string>& names) {
  HAP_TRY(dependencies, read_file(folder + "/modules.dep"));
  HAP_TRY(builtin, read_file(folder + "/modules.builtin"));
  std::vector<lab::WantedModule> wanted;
  for (const auto& name : names) wanted.push_back({name, "", false});
  return lab::ModuleTree(dependencies, builtin).order(wanted);
}

}  // namespace

Result<GuestImage> make_guest_image(const std::string& folder, const std::vector<std::string>& modules) {
  utsname name{};
  ::uname(&name);
  const std::string release_folder = std::string("/usr/lib/modules/") + name.release;
  GuestImage image;
  image.kernel = release_folder + "/vmlinuz";
  image.initramfs = folder + "/initramfs";
  image.root_disk = "/dev/vda";
  image.modules_disk = "/dev/vdb";
  for (const auto& path : {image.kernel, image.root_disk, std::string(agent_path)}) {
    if (::access(path.c_str(), R_OK) != 0) return not_in_lab(path);
  }
  HAP_TRY(agent, read_file(agent_path));
  HAP_TRY(files, driver_files(release_folder, modules));

  lab::CpioWriter archive;
  for (const char* path : {"dev", "proc", "sys", "hap", "hap/m"}) archive.add_folder(path);
  archive.add_character_device("dev/console", 5, 1);
  archive.add_file("init", agent, 0755);
  std::string list;
  for (const auto& file : files) {
    HAP_TRY(bytes, read_file(release_folder + "/" + file.path));
    const std::string inside = "hap/m/" + file.path.substr(file.path.rfind('/') + 1);
    archive.add_file(inside, bytes);
    list += "/" + inside + "\n";
  }
  archive.add_file("hap/modules", list);
  HAP_CHECK(write_file_atomic(image.initramfs, archive.finish()));
  return image;
}

}  // namespace hap::sandbox
