// KVM and QEMU: the service runs in a virtual machine of its own with the machine's kernel, on a virtio disk
// and a virtio network device whose tap is on the bridge. `kvm-qemu` is the q35 machine, `kvm-microvm` QEMU's
// microvm: no PCI, virtio-mmio only, what Firecracker and Kata's lightweight machines look like.
//
// Roles: the QEMU process is the `sandbox`, its thread "CPU 0/KVM" the `vcpu`. vhost workers are threads of
// QEMU; kernel threads that KVM makes for the machine carry QEMU's process id in their name.
//
// QEMU runs with the seccomp filter that libvirt asks for.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/subprocess.h"
#include "sandbox/cgroup.h"
#include "sandbox/command.h"
#include "sandbox/guest_agent.h"
#include "sandbox/guest_image.h"
#include "sandbox/network.h"
#include "sandbox/rootfs.h"
#include "sandbox/service_command.h"
#include "sandbox/technologies.h"

namespace hap::sandbox {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* vcpu_name = "CPU 0/KVM";
constexpr auto boot_limit = 180s;

Result<UniqueFd> connect_to(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error::from_errno("cannot make a socket", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  // QEMU makes the socket a moment after it was started.
  for (int tries = 0;; ++tries) {
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    if ((errno != ENOENT && errno != ECONNREFUSED) || tries == 1000) {
      return Error::from_errno("cannot connect to the virtual machine", errno).at(path);
    }
    std::this_thread::sleep_for(20ms);
  }
}

std::optional<pid_t> thread_named(pid_t process, const std::string& name) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(process) + "/task", code)) {
    const auto comm = read_file(entry.path().string() + "/comm");
    if (comm && *comm == name + "\n") return std::atoi(entry.path().filename().c_str());
  }
  return std::nullopt;
}

class Qemu : public Sandbox {
 public:
  explicit Qemu(QemuKind kind) : kind_(std::move(kind)) {}
  ~Qemu() override { (void)stop(); }

  Result<Instance> start(const Service& service) override {
    auto instance = try_start(service);
    if (!instance) (void)stop();
    return instance;
  }

  Status stop() override {
    if (guest_ && process_) {
      guest_->shut_down();
      (void)process_->wait_for(10s);
    }
    guest_.reset();
    process_.reset();
    HAP_TRY(group, Cgroup::name(scope_cgroup));
    HAP_CHECK(group.kill());
    port_.reset();
    return group.remove();
  }

  std::string last_words() const override {
    return tail_of_file(folder_ + "/log") + "\n" + tail_of_file(folder_ + "/console");
  }

  std::vector<ScopeRule> late_scope() override {
    std::vector<ScopeRule> rules;
    for (const auto& name : kernel_threads_of(process_->pid())) {
      // The kernel keeps 15 characters of the name in the task itself.
      rules.push_back({"kthread", name.substr(0, 15), "sandbox"});
    }
    return rules;
  }

  Result<std::vector<GuestMapping>> guest_mappings() override { return guest_->executable_mappings(); }

 private:
  bool micro() const { return kind_.machine == "microvm"; }

  std::vector<std::string> command(const GuestImage& image, const Service& service) const {
    // Virtio over PCI, or over memory-mapped registers.
    const std::string bus = micro() ? "-device" : "-pci";
    std::string append = "console=ttyS0 quiet nokaslr panic=-1 tsc=reliable no_timer_check";
    std::string machine = "q35,accel=kvm,usb=off,graphics=off,vmport=off,hpet=off,smm=off";
    if (micro()) {
      machine = "microvm,accel=kvm,rtc=on,pit=off,isa-serial=on,auto-kernel-cmdline=on";
      append += " pci=off reboot=t";
    }
    return {"qemu-system-x86_64",
            "-name",
            "cell,debug-threads=on",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-machine",
            machine,
            "-bios",
            "qboot.rom",
            "-cpu",
            "host",
            "-smp",
            "1",
            "-m",
            std::to_string(service.memory_mib),
            "-kernel",
            image.kernel,
            "-initrd",
            image.initramfs,
            "-append",
            append,
            "-chardev",
            "file,id=console,path=" + folder_ + "/console",
            "-serial",
            "chardev:console",
            "-drive",
            "file=" + image.root_disk + ",if=none,id=root,format=raw,readonly=on,file.locking=off",
            "-device",
            "virtio-blk" + bus + ",drive=root",
            "-drive",
            "file=" + image.modules_disk + ",if=none,id=modules,format=raw,readonly=on,file.locking=off",
            "-device",
            "virtio-blk" + bus + ",drive=modules",
            "-netdev",
            "tap,id=net,ifname=" + port_->device() +
                ",script=no,downscript=no,vhost=" + (kind_.vhost ? "on" : "off"),
            "-device",
            "virtio-net" + bus + ",netdev=net,mac=52:54:00:77:00:02" + (micro() ? "" : ",romfile="),
            "-device",
            std::string("virtio-serial") + bus,
            "-chardev",
            "socket,id=agent,path=" + folder_ + "/agent,server=on,wait=off",
            "-device",
            "virtserialport,chardev=agent,name=hap.agent",
            "-sandbox",
            "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"};
  }

  Status boot(const Service& service) {
    HAP_TRY(image, make_guest_image(folder_, {"virtio_blk", "virtio_net", "crc32c_intel", "virtio_mmio"}));
    HAP_TRY(group, Cgroup::create(scope_cgroup));
    HAP_TRY(procs, group.procs_fd());
    const std::string log_path = folder_ + "/log";
    UniqueFd log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!log.valid()) return Error::from_errno("cannot create", errno).at(log_path);
    SpawnOptions options;
    options.argv = command(image, service);
    options.stdout_fd = log.get();
    options.stderr_fd = log.get();
    options.cgroup_procs_fd = procs.get();
    HAP_TRY(process, Subprocess::spawn(options));
    process_ = std::move(process);
    HAP_TRY(socket, connect_to(folder_ + "/agent"));
    guest_.emplace(std::move(socket), process_->pidfd());
    return guest_->wait_until_ready(boot_limit, [this] { return last_words(); });
  }

  Result<Instance> try_start(const Service& service) {
    HAP_CHECK(refuse_own_root(service));
    HAP_TRY(folder, fresh_state("qemu"));
    folder_ = folder;
    auto port = TapPort::create();
    if (!port) return port.error();
    port_.emplace(std::move(*port));
    HAP_CHECK(boot(service));
    HAP_CHECK(guest_->start_service(service, "eth0"));

    Instance instance;
    instance.address = sandbox_address;
    instance.port = service.port;
    instance.processes = {process_->pid()};
    instance.scope = port_->scope();
    instance.scope.push_back({"cgroup", scope_cgroup, "sandbox"});
    const auto vcpu = thread_named(process_->pid(), vcpu_name);
    if (!vcpu) return Error(std::string("QEMU has no thread named ") + vcpu_name, ErrorKind::sandbox);
    instance.scope.push_back({"tid", std::to_string(*vcpu), "vcpu"});
    instance.expected_tasks = {"qemu-system-x86", vcpu_name};
    if (kind_.vhost) instance.expected_tasks.push_back("vhost-");
    instance.facts["qemu_version"] = first_line_of({"qemu-system-x86_64", "--version"});
    instance.facts["vm_machine"] = kind_.machine;
    instance.facts["vhost"] = kind_.vhost ? "on" : "off";
    utsname name{};
    ::uname(&name);
    instance.facts["guest_kernel_release"] = name.release;
    instance.facts["required_roles"] = "sandbox,vcpu";
    return instance;
  }

  QemuKind kind_;
  std::string folder_;
  std::optional<TapPort> port_;
  std::optional<Subprocess> process_;
  std::optional<GuestAgent> guest_;
};

}  // namespace

std::unique_ptr<Sandbox> make_qemu(const QemuKind& kind) {
  return std::make_unique<Qemu>(kind);
}

}  // namespace hap::sandbox
