#include "agent/init.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "agent/modules.h"
#include "base/file.h"
#include "base/unique_fd.h"

namespace hap::agent {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kNewRoot = "/newroot";

struct MountRow {
  const char* type;
  const char* target;
  const char* options;
  unsigned long flags;
};

// In order: later rows lie within earlier ones.
constexpr MountRow kKernelMounts[] = {
    {"proc", "/proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"sysfs", "/sys", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"devtmpfs", "/dev", "mode=0755", MS_NOSUID},
};
constexpr MountRow kRootMounts[] = {
    {"proc", "/proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"sysfs", "/sys", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"devtmpfs", "/dev", "mode=0755", MS_NOSUID},
    {"devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=000", MS_NOSUID | MS_NOEXEC},
    {"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV},
    {"mqueue", "/dev/mqueue", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"cgroup2", "/sys/fs/cgroup", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"bpf", "/sys/fs/bpf", "mode=700", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"debugfs", "/sys/kernel/debug", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"tracefs", "/sys/kernel/tracing", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"securityfs", "/sys/kernel/security", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV},
    {"tmpfs", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV},
    {"tmpfs", "/root", "mode=0700", 0},
    {"tmpfs", "/var/log", "mode=0755", MS_NOSUID | MS_NODEV},
    {"tmpfs", "/var/tmp", "mode=1777", MS_NOSUID | MS_NODEV},
    {"tmpfs", "/var/cache", "mode=0755", MS_NOSUID | MS_NODEV},
    // Container runtimes unpack images with devices and set-uid programs here.
    {"tmpfs", "/var/lib", "mode=0755", 0},
};

Status mount_row(const std::string& root, const MountRow& row) {
  std::string target = root + row.target;
  mkdir(target.c_str(), 0755);  // where it is missing; on the read-only root it exists
  if (mount(row.type, target.c_str(), row.type, row.flags, row.options) != 0) {
    return Error::from_errno(std::string("mounting ") + row.type, errno).at(row.target);
  }
  return {};
}

// The machine's first (a) or second (b) disk: virtio's, or Xen's. It may appear a moment after its driver was
// loaded.
Result<std::string> wait_for_disk(char letter) {
  const std::string virtio = std::string("/dev/vd") + letter;
  const std::string xen = std::string("/dev/xvd") + letter;
  for (int tries = 0; tries < 500; ++tries) {
    struct stat st {};
    for (const auto& path : {virtio, xen}) {
      if (stat(path.c_str(), &st) == 0) return path;
    }
    std::this_thread::sleep_for(10ms);
  }
  return Error("the disk did not appear").at(virtio);
}

Status write_text(const std::string& path, const std::string& text) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("opening", errno).at(path);
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Error::from_errno("writing", errno).at(path);
  }
  return {};
}

// The folders of the image's /var/lib and /var/cache, without their content, so that programs find
// the ownership their packages set up.
void copy_folders(const std::string& from, const std::string& to) {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(from, ec)) {
    struct stat st {};
    if (lstat(entry.path().c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) continue;
    std::string made = to + "/" + entry.path().filename().string();
    if (mkdir(made.c_str(), st.st_mode & 07777) != 0 && errno != EEXIST) continue;
    if (chown(made.c_str(), st.st_uid, st.st_gid) == 0) chmod(made.c_str(), st.st_mode & 07777);
  }
}

Status loopback_up() {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error::from_errno("socket", errno);
  ifreq request{};
  std::snprintf(request.ifr_name, sizeof request.ifr_name, "lo");
  if (ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0)
    return Error::from_errno("reading the flags of lo", errno);
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) return Error::from_errno("bringing lo up", errno);
  return {};
}

// The initramfs is memory: what is needed later moves to /run/hap, the rest is given back.
Status keep_initramfs_files(const std::string& run_folder) {
  HAP_CHECK(make_dirs(run_folder));
  std::error_code ec;
  fs::copy_file("/init", run_folder + "/hap-agent", ec);
  if (ec) return Error("keeping the agent: " + ec.message());
  for (const auto& entry : fs::directory_iterator(kInitramfsFolder, ec)) {
    if (entry.is_regular_file())
      fs::copy_file(entry.path(), run_folder + "/" + entry.path().filename().string(), ec);
  }
  fs::remove_all(kInitramfsFolder, ec);
  return {};
}

Status mount_root(std::vector<std::string>& remarks) {
  HAP_TRY(disk, wait_for_disk('a'));
  mkdir(kNewRoot, 0755);
  if (mount(disk.c_str(), kNewRoot, "ext4", MS_RDONLY | MS_NOATIME, "") != 0) {
    return Error::from_errno("mounting the root image", errno);
  }
  for (const auto& row : kRootMounts) {
    if (auto mounted = mount_row(kNewRoot, row); !mounted) remarks.push_back(mounted.error().to_string());
  }
  // The tmpfs over them hides the image's own folders; a second, bare mount of the root shows them.
  mkdir("/image", 0755);
  if (mount(disk.c_str(), "/image", "ext4", MS_RDONLY | MS_NOATIME, "") == 0) {
    for (const char* folder : {"/var/lib", "/var/cache", "/var/log"}) {
      copy_folders(std::string("/image") + folder, std::string(kNewRoot) + folder);
    }
    umount("/image");
  }
  return {};
}

Status switch_root() {
  if (chdir(kNewRoot) != 0) return Error::from_errno("entering the root image", errno);
  for (const char* old : {"/proc", "/sys", "/dev"}) umount2(old, MNT_DETACH);
  if (mount(".", "/", nullptr, MS_MOVE, nullptr) != 0) return Error::from_errno("moving the root", errno);
  if (chroot(".") != 0 || chdir("/") != 0) return Error::from_errno("changing the root", errno);
  // Container runtimes expect a shared root, as service managers set up.
  mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr);
  return {};
}

void set_environment() {
  clearenv();
  setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  setenv("HOME", "/root", 1);
  setenv("TERM", "linux", 1);
  setenv("LANG", "C.UTF-8", 1);
}

}  // namespace

Result<std::vector<std::string>> bring_up() {
  std::vector<std::string> remarks;
  umask(022);
  set_environment();
  for (const auto& row : kKernelMounts) HAP_CHECK(mount_row("", row));
  auto list = read_file(std::string(kInitramfsFolder) + "/modules");
  if (!list) return list.error();
  for (const auto& failure : load_modules(parse_module_list(*list))) remarks.push_back(failure.to_string());
  HAP_CHECK(mount_root(remarks));
  HAP_CHECK(keep_initramfs_files(std::string(kNewRoot) + kRunFolder));
  HAP_CHECK(switch_root());
  // The kernel's modules, and its image for nested guests, come on a second disk.
  if (auto disk = wait_for_disk('b'); !disk) {
    remarks.push_back(disk.error().to_string());
  } else if (mount(disk->c_str(), "/usr/lib/modules", "ext4", MS_RDONLY | MS_NOATIME, "") != 0) {
    remarks.push_back(Error::from_errno("mounting the modules", errno).to_string());
  }
  if (auto up = loopback_up(); !up) remarks.push_back(up.error().to_string());
  const std::pair<const char*, const char*> settings[] = {
      {"/sys/fs/cgroup/cgroup.subtree_control", "+cpu +memory +pids +io"},
      {"/proc/sys/kernel/hostname", "lab"},
      {"/proc/sys/kernel/kptr_restrict", "0"},
      {"/proc/sys/net/ipv4/ip_forward", "1"},
      {"/proc/sys/kernel/printk", "4"},
  };
  for (const auto& [path, text] : settings) {
    if (auto done = write_text(path, text); !done) remarks.push_back(done.error().to_string());
  }
  return remarks;
}

void reap_forever(const std::function<int()>& worker) {
  pid_t child = fork();
  if (child == 0) {
    setsid();
    _exit(worker());
  }
  for (;;) {
    int status = 0;
    pid_t ended = wait(&status);
    if (ended == child || child < 0) {
      std::fprintf(stderr, "hap-agent: the worker ended with status 0x%x; powering off\n", status);
      sync();
      reboot(RB_POWER_OFF);
    }
    if (ended < 0 && errno == ECHILD) pause();
  }
}

}  // namespace hap::agent
