// A writable root file system for a sandbox: an overlay of a read-only root and fresh memory.
#pragma once

#include <string>

#include "hap/result.h"
#include "sandbox/sandbox.h"

namespace hap::sandbox {

// Where sandboxes keep what they need while they run (bundles, overlays, logs): memory.
inline constexpr const char* state_folder = "/run/hap-cell";

// Makes `name` beneath state_folder, empty. Readable by all: a container's root in a user namespace is nobody
// special outside.
Result<std::string> fresh_state(const std::string& name);

// Writes the service's files beneath `root` ("" for the machine's own) and makes service_folder there,
// writable by every user.
Status place_files(const Service& service, const std::string& root);

// `unsupported` for a service with a root of its own, in sandboxes that boot the machine's.
Status refuse_own_root(const Service& service);

// The mounted overlay; unmounted and removed on destruction.
class Rootfs {
 public:
  // Lower is the service's root or the machine's own "/" (mounts beneath "/" are not part of it).
  static Result<Rootfs> create(const Service& service);
  Rootfs(Rootfs&& other) noexcept : folder_(std::move(other.folder_)) { other.folder_.clear(); }
  Rootfs& operator=(Rootfs&&) = delete;
  ~Rootfs();
  std::string path() const { return folder_ + "/merged"; }

 private:
  explicit Rootfs(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace hap::sandbox
