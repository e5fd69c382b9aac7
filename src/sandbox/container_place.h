// Where a container with a network namespace of its own lives: its root, its port on the bridge, and its
// cgroup. What the container's runtime makes and removes is not part of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sandbox/network.h"
#include "sandbox/rootfs.h"

namespace hap::sandbox {

class ContainerPlace {
 public:
  Status make(const Service& service);
  // Kills whoever is left in the cgroup, and removes everything. Also allowed when nothing was made.
  Status remove();

  // The rest is for a place that was made.
  std::string rootfs() const { return rootfs_->path(); }
  std::string netns() const { return port_->netns_path(); }
  std::vector<ScopeRule> network_scope() const { return port_->scope(); }

 private:
  std::optional<Rootfs> rootfs_;
  std::optional<VethPort> port_;
};

}  // namespace hap::sandbox
