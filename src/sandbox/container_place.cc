#include "sandbox/container_place.h"

#include "sandbox/cgroup.h"

namespace hap::sandbox {

Status ContainerPlace::make(const Service& service) {
  auto rootfs = Rootfs::create(service);
  if (!rootfs) return rootfs.error();
  rootfs_.emplace(std::move(*rootfs));
  auto port = VethPort::create();
  if (!port) return port.error();
  port_.emplace(std::move(*port));
  return {};
}

Status ContainerPlace::remove() {
  HAP_TRY(group, Cgroup::name(scope_cgroup));
  HAP_CHECK(group.kill());
  rootfs_.reset();
  port_.reset();
  return group.remove();
}

}  // namespace hap::sandbox
