// Containers by their id, a unique part at its beginning, or their name.
//
// Every engine writes down what it runs, and every engine puts the id into the name of the container's
// cgroup:
//
//   Docker       /var/lib/docker/containers/ID/config.v2.json         docker-ID.scope, docker/ID
//   podman       .../overlay-containers/containers.json               libpod-ID.scope
//   containerd   /run/containerd/io.containerd.runtime.v2.task/NS/ID   cri-containerd-ID.scope, NS/ID
//   CRI-O        /run/containers/storage/overlay-containers/ID        crio-ID.scope
//
// Names come from the records, places from the cgroups, so a container of an engine that is not in the list
// is found too, by its id.
#pragma once

#include <string>
#include <vector>

#include "hap/result.h"
#include "live/cgroups.h"

namespace hap::live {

struct Container {
  std::string id;      // in full
  std::string name;    // empty when no record tells it
  std::string engine;  // "docker", "podman", "containerd", "cri-o"; empty when no record tells it
  std::vector<FoundCgroup> cgroups;  // of one hierarchy; without those of its own helpers (conmon)
};

// `root`: "/" or, for tests, a folder with var/lib and run below it. Errors (usage): no such container; the
// id's beginning fits several; it is known but does not run.
Result<Container> find_container(const std::string& root, const std::vector<CgroupMount>& mounts,
                                 const std::string& wanted);

}  // namespace hap::live
