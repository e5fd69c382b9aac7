#include "sandbox/rootfs.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"

namespace hap::sandbox {
namespace {

namespace fs = std::filesystem;

Status place_file(const ServiceFile& file, const std::string& root) {
  if (file.path.empty() || file.path[0] != '/' || file.path.find("/../") != std::string::npos) {
    return Error("a service's file needs an absolute path without ..", ErrorKind::usage).at(file.path);
  }
  const std::string target = root + file.path;
  HAP_CHECK(make_dirs(fs::path(target).parent_path().string()));
  return write_file_atomic(target, file.content, file.mode);
}

}  // namespace

Result<std::string> fresh_state(const std::string& name) {
  const std::string folder = std::string(state_folder) + "/" + name;
  // A cell that was killed may have left mounts here.
  while (::umount2((folder + "/merged").c_str(), MNT_DETACH) == 0) {
  }
  HAP_CHECK(remove_tree(folder));
  HAP_CHECK(make_dirs(folder));
  ::chmod(state_folder, 0755);
  ::chmod(folder.c_str(), 0755);
  return folder;
}

Status place_files(const Service& service, const std::string& root) {
  const std::string folder = root + service_folder;
  HAP_CHECK(make_dirs(folder));
  if (::chmod(folder.c_str(), 0777) != 0)
    return Error::from_errno("cannot open the folder to all", errno).at(folder);
  for (const auto& file : service.files) HAP_CHECK(place_file(file, root));
  return {};
}

Status refuse_own_root(const Service& service) {
  if (service.root.empty()) return {};
  return Error("this sandbox boots the machine's own root file system, not the service's",
               ErrorKind::unsupported)
      .hint("use a container or gVisor for a service from an image");
}

Result<Rootfs> Rootfs::create(const Service& service) {
  HAP_TRY(folder, fresh_state("root"));
  Rootfs rootfs(folder);
  for (const char* part : {"/upper", "/work", "/merged"}) HAP_CHECK(make_dirs(folder + part));
  const std::string lower = service.root.empty() ? "/" : service.root;
  const std::string options =
      "lowerdir=" + lower + ",upperdir=" + folder + "/upper,workdir=" + folder + "/work";
  if (::mount("overlay", rootfs.path().c_str(), "overlay", 0, options.c_str()) != 0) {
    return Error::from_errno("cannot mount the overlay of the root file system", errno)
        .at(lower)
        .of_kind(ErrorKind::sandbox);
  }
  // Private, or every later mount namespace gets copies that outlive this one.
  ::mount(nullptr, rootfs.path().c_str(), nullptr, MS_PRIVATE, nullptr);
  HAP_CHECK(place_files(service, rootfs.path()));
  HAP_CHECK(write_file_atomic(rootfs.path() + "/etc/hosts", "127.0.0.1 localhost\n"));
  HAP_CHECK(write_file_atomic(rootfs.path() + "/etc/hostname", "cell\n"));
  return rootfs;
}

Rootfs::~Rootfs() {
  if (folder_.empty()) return;
  ::umount2(path().c_str(), MNT_DETACH);
  (void)remove_tree(folder_);
}

}  // namespace hap::sandbox
