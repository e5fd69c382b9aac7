// The OCI configuration (config.json) of a sandbox's container.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace hap::sandbox {

struct OciPlan {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::string working_dir = "/";
  std::string rootfs;
  std::string netns;                      // path; the container joins it
  std::string cgroup;                     // path in the v2 hierarchy
  std::vector<std::string> capabilities;  // the same in every set but ambient
  nlohmann::json seccomp;                 // linux.seccomp, null for none
  bool user_namespace = false;            // ids 0..65535 become 100000..165535
  unsigned uid = 0;                       // inside
  bool no_new_privileges = false;
};

// The capabilities Docker leaves a container by default (moby, oci/caps/defaults.go).
const std::vector<std::string>& docker_capabilities();

// Mounts, masked and read-only paths, devices and limits are Docker's defaults (moby, oci/defaults.go).
nlohmann::json oci_configuration(const OciPlan& plan);

}  // namespace hap::sandbox
