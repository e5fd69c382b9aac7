// The factories behind the catalogue, one per file.
#pragma once

#include <memory>
#include <string>

#include "sandbox/sandbox.h"

namespace hap::sandbox {

std::unique_ptr<Sandbox> make_bare();
std::unique_ptr<Sandbox> make_lxc();

struct ContainerKind {
  std::string runtime = "runc";
  bool rootless = false;  // user namespace, uid 1000, no capabilities
  bool seccomp = true;
  std::string seccomp_profile;   // content; empty: the default profile of the machine
  std::string seccomp_origin;    // see Options
  bool virtual_machine = false;  // the runtime must start one; others may
};
std::unique_ptr<Sandbox> make_container(const ContainerKind& kind);

struct PodmanKind {
  std::string program = "podman";
  std::string seccomp_profile;  // content; empty: the default profile of the machine
  std::string seccomp_origin;   // see Options
};
std::unique_ptr<Sandbox> make_podman(const PodmanKind& kind);

// `platform` is runsc's: systrap, ptrace or kvm.
std::unique_ptr<Sandbox> make_gvisor(const std::string& platform, const std::string& runtime);

struct QemuKind {
  std::string machine = "q35";  // or microvm
  bool vhost = true;
};
std::unique_ptr<Sandbox> make_qemu(const QemuKind& kind);

std::unique_ptr<Sandbox> make_xen_pv();

}  // namespace hap::sandbox
