// Xen's tools in dom0: which are there, the services that guests need, and what was made of a guest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::sandbox {

// Where xenconsoled writes guests' consoles: guest-NAME.log.
inline constexpr const char* xen_console_folder = "/run/hap-xen";

// Whether this kernel is Xen's dom0 and its control interface is there.
bool is_dom0();

// The folder with the programs of the running Xen's release.
Result<std::string> xen_programs();

// Mounts Xen's file system, starts xenstored and xenconsoled among the host daemons and tells them of dom0.
// Errors: `unsupported` when the kernel is not Xen's dom0.
Status start_dom0();

// The domain's number; nothing when there is none of this name.
Result<std::optional<int>> domain_id(const std::string& name);

// Kernel threads of the back ends that serve the domain ("vif3.0-q0-guest-rx", "3.xvda-0").
std::vector<std::string> backend_threads(int domain);

// The decision alone: whether a kernel thread's name says that it serves the domain.
bool is_backend_thread(const std::string& comm, int domain);

}  // namespace hap::sandbox
