#include "sandbox/catalogue.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/subprocess.h"
#include "sandbox/seccomp_profile.h"
#include "sandbox/technologies.h"

namespace hap::sandbox {
namespace {

using Kind = Requirement::Kind;

Requirement program(const char* name, const char* package, const char* why) {
  return {Kind::program, name, package, why};
}

const Requirement ip_program{Kind::program, "ip", "iproute2", "sets the network up"};
const Requirement default_profile{Kind::file, default_seccomp_path, "golang-github-containers-common",
                                  "the runtime's default seccomp profile"};
const Requirement kvm_device{Kind::device, "/dev/kvm", "", "hardware virtualization"};
const Requirement xen_dom0{Kind::device, "/proc/xen/capabilities", "", "Linux as Xen's dom0"};
const Requirement lab_disks{Kind::lab_only, "the lab machine's disks", "", "the guest boots from them"};

struct Row {
  Entry entry;
  // Which of the options the sandbox takes.
  bool takes_runtime = false;
  bool takes_seccomp = false;
  bool takes_vhost = false;
  std::unique_ptr<Sandbox> (*make)(const Options&) = nullptr;
};

std::string or_else(const std::string& text, const char* fallback) {
  return text.empty() ? fallback : text;
}

// An engine is named like a runtime: it brings its own.
std::unique_ptr<Sandbox> make_docker(const Options& options) {
  if (options.runtime.substr(options.runtime.rfind('/') + 1) == "podman") {
    return make_podman({options.runtime, options.seccomp_profile, options.seccomp_origin});
  }
  return make_container({or_else(options.runtime, "runc"), false, true, options.seccomp_profile,
                         options.seccomp_origin, false});
}

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {{"bare", "process of the machine", "nothing: a root process in a cgroup of its own", {ip_program}, ""},
       false,
       false,
       false,
       [](const Options&) { return make_bare(); }},
      {{"lxc",
        "Linux as general container: system container, init and root inside",
        "all namespaces but user, LXC's dropped capabilities and seccomp deny list",
        {ip_program, program("lxc-start", "lxc", "the container runtime"),
         program("busybox", "busybox", "init inside")},
        ""},
       false,
       false,
       false,
       [](const Options&) { return make_lxc(); }},
      {{"app-container",
        "Linux app container, non-root",
        "user namespace, uid 1000, no capabilities, no new privileges, default seccomp profile, all "
        "namespaces",
        {ip_program, program("crun", "crun", "the OCI runtime"), default_profile},
        ""},
       true,
       true,
       false,
       [](const Options& options) {
         return make_container(
             {or_else(options.runtime, "crun"), true, true, options.seccomp_profile, options.seccomp_origin});
       }},
      {{"docker-default",
        "Docker with its default seccomp profile",
        "mount, pid, ipc, uts, cgroup and network namespaces, Docker's 14 capabilities, default seccomp "
        "profile",
        {ip_program, program("runc", "runc", "the OCI runtime"), default_profile},
        ""},
       true,
       false,
       false,
       make_docker},
      {{"docker-seccomp",
        "Docker with a crafted seccomp profile",
        "as docker-default, with a profile from `hap seccomp`",
        {ip_program, program("runc", "runc", "the OCI runtime")},
        ""},
       true,
       true,
       false,
       make_docker},
      {{"gvisor-ptrace",
        "gVisor, ptrace platform",
        "the Sentry, a user-space kernel, by ptrace; its own seccomp filter",
        {ip_program, program("runsc", "runsc", "gVisor's OCI runtime")},
        ""},
       true,
       false,
       false,
       [](const Options& options) { return make_gvisor("ptrace", or_else(options.runtime, "runsc")); }},
      {{"gvisor-systrap",
        "gVisor, systrap platform",
        "the Sentry, a user-space kernel, by seccomp traps; its own seccomp filter",
        {ip_program, program("runsc", "runsc", "gVisor's OCI runtime")},
        ""},
       true,
       false,
       false,
       [](const Options& options) { return make_gvisor("systrap", or_else(options.runtime, "runsc")); }},
      {{"gvisor-kvm",
        "gVisor, kvm platform",
        "the Sentry, a user-space kernel, in a virtual machine of its own",
        {ip_program, program("runsc", "runsc", "gVisor's OCI runtime"), kvm_device},
        "gVisor's kvm platform needs real virtualization: under the emulated machine's it dies"},
       true,
       false,
       false,
       [](const Options& options) { return make_gvisor("kvm", or_else(options.runtime, "runsc")); }},
      {{"kvm-microvm",
        "KVM and QEMU's microvm, the stand-in for Kata and Firecracker",
        "a virtual machine with virtio-mmio devices only; QEMU's seccomp filter",
        {ip_program, program("qemu-system-x86_64", "qemu-system-x86", "the virtual machine monitor"),
         kvm_device, lab_disks},
        ""},
       false,
       false,
       true,
       [](const Options& options) {
         return make_qemu({"microvm", options.vhost});
       }},
      {{"kvm-qemu",
        "KVM and QEMU",
        "a virtual machine (q35) with virtio PCI devices; QEMU's seccomp filter",
        {ip_program, program("qemu-system-x86_64", "qemu-system-x86", "the virtual machine monitor"),
         kvm_device, lab_disks},
        ""},
       false,
       false,
       true,
       [](const Options& options) {
         return make_qemu({"q35", options.vhost});
       }},
      {{"kata-fc",
        "Kata Containers with Firecracker",
        "a virtual machine",
        {ip_program, program("kata-fc", "", "Kata's OCI runtime for Firecracker; not in Debian")},
        ""},
       false,
       false,
       false,
       [](const Options&) {
         return make_container({"kata-fc", false, true, "", "", true});
       }},
      {{"kata-qemu",
        "Kata Containers with QEMU",
        "a virtual machine",
        {ip_program, program("kata-runtime", "", "Kata's OCI runtime; not in Debian")},
        ""},
       false,
       false,
       false,
       [](const Options&) {
         return make_container({"kata-runtime", false, true, "", "", true});
       }},
      {{"nabla",
        "Nabla containers",
        "a library operating system behind seven system calls",
        {ip_program, program("runnc", "", "Nabla's OCI runtime; not in Debian")},
        ""},
       false,
       false,
       false,
       [](const Options&) {
         return make_container({"runnc", false, true, "", "", false});
       }},
      {{"xen-pv",
        "Xen, paravirtualized guest",
        "the hypervisor; netback and blkback in dom0's kernel",
        {ip_program, program("xl", "xen-utils-common", "Xen's toolstack"), xen_dom0, lab_disks},
        "",
        "xen"},
       false,
       false,
       false,
       [](const Options&) { return make_xen_pv(); }},
  };
  return table;
}

const Row* find_row(const std::string& name) {
  const auto& all = rows();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Row& row) { return row.entry.name == name; });
  return found == all.end() ? nullptr : &*found;
}

bool is_met(const Requirement& requirement) {
  struct stat status {};
  switch (requirement.kind) {
    case Kind::program:
      return find_program(requirement.what).has_value();
    case Kind::device:
    case Kind::file:
      return ::stat(requirement.what.c_str(), &status) == 0;
    case Kind::kernel_feature:
    case Kind::lab_only:
      return true;
  }
  return true;
}

}  // namespace

const std::vector<Entry>& catalogue() {
  static const std::vector<Entry> entries = [] {
    std::vector<Entry> list;
    for (const auto& row : rows()) list.push_back(row.entry);
    return list;
  }();
  return entries;
}

const Entry* find_entry(const std::string& name) {
  const Row* row = find_row(name);
  return row == nullptr ? nullptr : &row->entry;
}

Result<std::unique_ptr<Sandbox>> make_sandbox(const std::string& name, const Options& options) {
  const Row* row = find_row(name);
  if (row == nullptr) {
    std::string names;
    for (const auto& known : rows()) names += (names.empty() ? "" : ", ") + known.entry.name;
    return Error("there is no sandbox `" + name + "`", ErrorKind::usage).hint("choose one of " + names);
  }
  if (!row->entry.unavailable.empty()) {
    return Error("the sandbox " + name + " cannot be had here: " + row->entry.unavailable,
                 ErrorKind::unsupported);
  }
  if (!options.runtime.empty() && !row->takes_runtime) {
    return Error("the sandbox " + name + " has no OCI runtime to choose", ErrorKind::usage);
  }
  if (!options.seccomp_profile.empty() && !row->takes_seccomp) {
    return Error("the sandbox " + name + " takes no seccomp profile", ErrorKind::usage)
        .hint("use docker-seccomp or app-container");
  }
  if (options.seccomp_profile.empty() && name == "docker-seccomp") {
    return Error("docker-seccomp needs a profile", ErrorKind::usage)
        .hint("make one with `hap seccomp` and give it by --seccomp-profile FILE");
  }
  if (!options.vhost && !row->takes_vhost) {
    return Error("the sandbox " + name + " has no vhost to switch off", ErrorKind::usage);
  }
  return row->make(options);
}

bool runs_a_guest(const Entry& entry) {
  return !entry.hypervisor.empty() ||
         std::any_of(entry.requirements.begin(), entry.requirements.end(),
                     [](const Requirement& needed) { return needed.what == kvm_device.what; });
}

std::vector<Requirement> unmet_requirements(const Entry& entry) {
  std::vector<Requirement> unmet;
  for (const auto& requirement : entry.requirements) {
    if (!is_met(requirement)) unmet.push_back(requirement);
  }
  return unmet;
}

}  // namespace hap::sandbox
