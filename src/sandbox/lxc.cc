// `lxc`: Linux as a general container. A system container with an init (busybox), a system log and the
// service in it, root inside, no user namespace, with the capabilities, devices and seccomp deny list that
// LXC's common.conf gives every container.
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "base/file.h"
#include "base/subprocess.h"
#include "sandbox/cgroup.h"
#include "sandbox/command.h"
#include "sandbox/network.h"
#include "sandbox/rootfs.h"
#include "sandbox/service_command.h"
#include "sandbox/technologies.h"

namespace hap::sandbox {
namespace {

constexpr const char* container_name = "hap-cell";
constexpr const char* monitor_cgroup = "/hap/monitor";
constexpr const char* host_device = "hapv0";

// As a word for sh.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string start_script(const Service& service) {
  std::string text = "#!/bin/sh\nexport PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
  for (const auto& [name, value] : service.env) text += "export " + name + "=" + quoted(value) + "\n";
  text += "cd " + quoted(service.working_dir) + "\nexec";
  for (const auto& word : service_command(service, sandbox_address, true)) text += " " + quoted(word);
  return text + "\n";
}

class Lxc : public Sandbox {
 public:
  ~Lxc() override { (void)stop(); }

  Result<Instance> start(const Service& service) override {
    auto instance = try_start(service);
    if (!instance) (void)stop();
    return instance;
  }

  Status stop() override {
    Status stopped;
    if (started_) {
      // Init's own shutdown, as an administrator would ask for; killed when that takes long.
      stopped = run_command({"lxc-stop", "-n", container_name, "-P", folder_, "-t", "5"});
      started_ = false;
    }
    for (const char* path : {scope_cgroup, monitor_cgroup}) {
      HAP_TRY(group, Cgroup::name(path));
      HAP_CHECK(group.kill());
      HAP_CHECK(group.remove());
    }
    rootfs_.reset();
    return stopped;
  }

  std::string last_words() const override {
    return tail_of_file(folder_ + "/log") + "\n" + tail_of_file(folder_ + "/console");
  }

 private:
  std::string configuration() const {
    const std::string address = std::string(sandbox_address) + "/" + std::to_string(prefix_length);
    std::ostringstream text;
    text << "lxc.include = /usr/share/lxc/config/common.conf\n"
         << "lxc.apparmor.profile = unconfined\n"  // the machine has no policy loaded
         << "lxc.uts.name = cell\n"
         << "lxc.rootfs.path = dir:" << rootfs_->path() << "\n"
         << "lxc.init.cmd = /usr/bin/busybox init\n"
         << "lxc.signal.halt = SIGUSR2\n"  // busybox init: power off
         << "lxc.console.logfile = " << folder_ << "/console\n"
         << "lxc.cgroup.relative = 0\n"
         << "lxc.cgroup.dir.monitor = " << monitor_cgroup + 1 << "\n"
         << "lxc.cgroup.dir.container = " << scope_cgroup + 1 << "\n"
         << "lxc.net.0.type = veth\nlxc.net.0.link = " << bridge_name << "\nlxc.net.0.flags = up\n"
         << "lxc.net.0.name = eth0\nlxc.net.0.veth.pair = " << host_device << "\n"
         << "lxc.net.0.ipv4.address = " << address << "\nlxc.net.0.ipv4.gateway = " << bridge_address << "\n";
    return text.str();
  }

  // What init reads and runs.
  Status furnish(const Service& service) const {
    // Not among the service's own files, one of which may have the same name.
    const std::string script = "/etc/start-service";
    HAP_CHECK(write_file_atomic(rootfs_->path() + script, start_script(service), 0755));
    return write_file_atomic(rootfs_->path() + "/etc/inittab",
                             "::respawn:/usr/bin/busybox syslogd -n -O /tmp/messages\n"
                             "::respawn:" +
                                 script + "\n");
  }

  Result<Instance> try_start(const Service& service) {
    HAP_CHECK(refuse_own_root(service));
    HAP_CHECK(ensure_bridge());
    HAP_TRY(folder, fresh_state("lxc"));
    folder_ = folder;
    auto rootfs = Rootfs::create(service);
    if (!rootfs) return rootfs.error();
    rootfs_.emplace(std::move(*rootfs));
    HAP_CHECK(furnish(service));
    HAP_CHECK(make_dirs(folder_ + "/" + container_name));
    const std::string config = folder_ + "/" + container_name + "/config";
    HAP_CHECK(write_file_atomic(config, configuration()));
    started_ = true;
    HAP_CHECK(run_detaching({"lxc-start", "-n", container_name, "-P", folder_, "-f", config, "-d", "-l",
                             "WARN", "-o", folder_ + "/log"},
                            folder_ + "/start-log"));
    SpawnOptions ask;
    ask.argv = {"lxc-info", "-n", container_name, "-P", folder_, "-p", "-H"};
    HAP_TRY(pid_text, run_checked(ask));
    const pid_t init = std::atoi(pid_text.c_str());
    if (init <= 0) return Error("lxc-info does not say which process init is", ErrorKind::sandbox);
    // LXC leaves IPv6 on, and both ends of the veth check their addresses.
    HAP_CHECK(await_address_check("eth0", init));
    HAP_CHECK(await_address_check(host_device, ::getpid()));

    Instance instance;
    instance.address = sandbox_address;
    instance.port = service.port;
    instance.processes = {init};
    HAP_TRY(outside, netdev_key(host_device));
    HAP_TRY(inside, netdev_key_in("eth0", "/proc/" + std::to_string(init) + "/ns/net"));
    instance.scope = {{"netdev", outside, "application"},
                      {"netdev", inside, "application"},
                      {"cgroup", scope_cgroup, "application"},
                      {"cgroup", monitor_cgroup, "host-daemon"}};
    instance.expected_tasks = {"busybox", task_name(service)};
    instance.facts["runtime"] = "lxc";
    instance.facts["runtime_version"] = first_line_of({"lxc-start", "--version"});
    instance.facts["required_roles"] = "application";
    return instance;
  }

  std::string folder_;
  bool started_ = false;
  std::optional<Rootfs> rootfs_;
};

}  // namespace

std::unique_ptr<Sandbox> make_lxc() {
  return std::make_unique<Lxc>();
}

}  // namespace hap::sandbox
