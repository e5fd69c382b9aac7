// Xen PV: the service runs in a paravirtualized guest of the hypervisor beneath the machine, with the
// machine's kernel, its disks through blkback (read-only) and a network device through netback whose other
// end is on the bridge.
//
// There is no process outside that is the guest: its virtual processor is scheduled by Xen, and the collector
// follows it there. What dom0 does for it are the back ends' kernel threads and, in soft interrupts, its
// network device. xenstored, xenconsoled and the toolstack's monitor are host daemons.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "base/file.h"
#include "sandbox/command.h"
#include "sandbox/guest_agent.h"
#include "sandbox/guest_image.h"
#include "sandbox/network.h"
#include "sandbox/rootfs.h"
#include "sandbox/technologies.h"
#include "sandbox/xen_toolstack.h"

namespace hap::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr const char* domain_name = "hap-cell";
constexpr uint16_t agent_port = 9177;
constexpr auto boot_limit = 300s;

// Where the guest's agent calls, since a PV guest has no virtio-serial port.
Result<UniqueFd> listen_on_bridge() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error::from_errno("cannot make a socket", errno);
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(agent_port);
  ::inet_pton(AF_INET, bridge_address, &address.sin_addr);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 1) != 0) {
    return Error::from_errno("cannot listen for the guest", errno);
  }
  return fd;
}

Result<UniqueFd> accept_guest(const UniqueFd& listener) {
  pollfd waiter{listener.get(), POLLIN, 0};
  if (::poll(&waiter, 1, static_cast<int>(std::chrono::milliseconds(boot_limit).count())) != 1) {
    return Error("the guest did not boot in time", ErrorKind::sandbox);
  }
  UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("accepting the guest's call", errno);
  const int on = 1;
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

class XenPv : public Sandbox {
 public:
  ~XenPv() override { (void)stop(); }

  Result<Instance> start(const Service& service) override {
    auto instance = try_start(service);
    if (!instance) (void)stop();
    return instance;
  }

  Status stop() override {
    if (!created_) return {};
    if (guest_) {
      guest_->shut_down();
      guest_.reset();
      if (auto gone = wait_until_gone(); gone) {
        created_ = false;
        return {};
      }
    }
    HAP_TRY(programs, xen_programs());
    HAP_CHECK(run_command({programs + "/xl", "destroy", domain_name}));
    created_ = false;
    return {};
  }

  std::string last_words() const override {
    return tail_of_file(folder_ + "/log") + "\n" +
           tail_of_file(std::string(xen_console_folder) + "/guest-" + domain_name + ".log");
  }

  Result<std::vector<GuestMapping>> guest_mappings() override { return guest_->executable_mappings(); }

 private:
  std::string disk(const std::string& name, const std::string& device) const {
    return "backendtype=phy,access=r,vdev=" + name + ",script=" + folder_ + "/block-" + name +
           ",target=" + device;
  }

  // Xen's own hot-plug scripts start dozens of programs each to find out what is known here: which device it
  // is, and that a disk that nobody writes can be shared. libxl gives them 40 seconds, too little on a busy
  // host.
  Status write_hotplug_scripts(const GuestImage& image) const {
    const std::pair<const char*, std::string> disks[] = {{"xvda", image.root_disk},
                                                         {"xvdb", image.modules_disk}};
    for (const auto& [name, device] : disks) {
      struct stat status {};
      if (::stat(device.c_str(), &status) != 0)
        return Error::from_errno("looking at a disk", errno).at(device);
      char number[32];
      std::snprintf(number, sizeof number, "%x:%x", major(status.st_rdev), minor(status.st_rdev));
      HAP_CHECK(write_script(std::string("block-") + name,
                             "[ \"$1\" = add ] || exit 0\n"
                             "exec xenstore-write \"$XENBUS_PATH/physical-device\" " +
                                 std::string(number) + " \"$XENBUS_PATH/hotplug-status\" connected\n"));
    }
    return write_script("vif", std::string("[ \"$1\" = online ] || exit 0\nip link set \"$vif\" master ") +
                                   bridge_name +
                                   " up || exit 1\n"
                                   "exec xenstore-write \"$XENBUS_PATH/hotplug-status\" connected\n");
  }

  Status write_script(const std::string& name, const std::string& text) const {
    const std::string path = folder_ + "/" + name;
    HAP_CHECK(write_file_atomic(path, "#!/bin/sh\n" + text));
    if (::chmod(path.c_str(), 0755) != 0)
      return Error::from_errno("making a script executable", errno).at(path);
    return {};
  }

  // As xl.cfg(5).
  std::string configuration(const GuestImage& image, const Service& service) const {
    const std::string caller = std::string("hap.guest=eth0,") + sandbox_address + "/" +
                               std::to_string(prefix_length) + "," + bridge_address + "," +
                               std::to_string(agent_port);
    return std::string("name = \"") + domain_name +
           "\"\n"
           "type = \"pv\"\n"
           "vcpus = 1\n"
           // What Xen chooses itself where the processor's TSC is invariant; the emulated one does not say
           // so, and the guest's every look at the clock would trap.
           "tsc_mode = \"native\"\n"
           "memory = " +
           std::to_string(service.memory_mib) + "\nkernel = \"" + image.kernel + "\"\nramdisk = \"" +
           image.initramfs + "\"\nextra = \"console=hvc0 quiet nokaslr panic=-1 " + caller +
           "\"\n"
           "disk = [ \"" +
           disk("xvda", image.root_disk) + "\", \"" + disk("xvdb", image.modules_disk) +
           "\" ]\n"
           "vif = [ \"mac=00:16:3e:77:00:02,bridge=" +
           bridge_name + ",script=" + folder_ +
           "/vif\" ]\n"
           "on_poweroff = \"destroy\"\n"
           "on_reboot = \"destroy\"\n"
           "on_crash = \"destroy\"\n";
  }

  Status boot(const Service& service) {
    HAP_TRY(programs, xen_programs());
    HAP_TRY(image, make_guest_image(folder_, {"ext4", "xen_blkfront", "xen_netfront", "crc32c_intel"}));
    const std::string file = folder_ + "/domain.cfg";
    HAP_CHECK(write_file_atomic(file, configuration(image, service)));
    HAP_CHECK(write_hotplug_scripts(image));
    HAP_TRY(listener, listen_on_bridge());
    created_ = true;
    HAP_CHECK(run_detaching({programs + "/xl", "create", file}, folder_ + "/log"));
    auto socket = accept_guest(listener);
    if (!socket) return Error(socket.error().to_string() + "; " + last_words(), ErrorKind::sandbox);
    guest_.emplace(std::move(*socket), -1);
    return guest_->wait_until_ready(boot_limit, [this] { return last_words(); });
  }

  Result<Instance> try_start(const Service& service) {
    HAP_CHECK(refuse_own_root(service));
    if (!is_dom0()) {
      return Error("the machine's kernel is not Xen's dom0", ErrorKind::unsupported)
          .hint("measure this sandbox with `hap measure`, which boots Xen in the lab machine");
    }
    HAP_TRY(folder, fresh_state("xen"));
    folder_ = folder;
    HAP_CHECK(ensure_bridge());
    HAP_CHECK(boot(service));
    HAP_CHECK(guest_->start_service(service, ""));
    return describe(service);
  }

  Result<Instance> describe(const Service& service) {
    HAP_TRY(domain, domain_id(domain_name));
    if (!domain) return Error("the guest has ended; " + last_words(), ErrorKind::sandbox);
    Instance instance;
    instance.address = sandbox_address;
    instance.port = service.port;
    HAP_TRY(device, netdev_key("vif" + std::to_string(*domain) + ".0"));
    instance.scope.push_back({"netdev", device, "sandbox"});
    const auto threads = backend_threads(*domain);
    const auto any_of = [&](const std::string& begin) {
      return std::any_of(threads.begin(), threads.end(),
                         [&](const auto& name) { return name.starts_with(begin); });
    };
    // Without them, what dom0 does for the guest would be missing from its score.
    if (!any_of("vif") || !any_of(std::to_string(*domain) + ".xvda")) {
      return Error("dom0 has no kernel threads of netback and blkback for the guest", ErrorKind::sandbox);
    }
    for (const auto& name : threads) instance.scope.push_back({"kthread", name, "sandbox"});
    HAP_TRY(programs, xen_programs());
    instance.facts["xen_version"] = version();
    instance.facts["xen_domain"] = std::to_string(*domain);
    utsname name{};
    ::uname(&name);
    instance.facts["guest_kernel_release"] = name.release;
    instance.facts["required_roles"] = "sandbox,vcpu";
    return instance;
  }

  static std::string version() {
    std::string text;
    for (const char* part : {"major", "minor", "extra"}) {
      const auto content = read_file(std::string("/sys/hypervisor/version/") + part);
      if (!content) return "";
      if (part == std::string("minor")) text += ".";
      text += content->substr(0, content->find('\n'));
    }
    return text;
  }

  static Status wait_until_gone() {
    for (int tries = 0; tries < 20; ++tries) {
      HAP_TRY(domain, domain_id(domain_name));
      if (!domain) return {};
      std::this_thread::sleep_for(300ms);
    }
    return Error("the guest did not end", ErrorKind::sandbox);
  }

  std::string folder_;
  bool created_ = false;
  std::optional<GuestAgent> guest_;
};

}  // namespace

std::unique_ptr<Sandbox> make_xen_pv() {
  return std::make_unique<XenPv>();
}

}  // namespace hap::sandbox
