// The service a workload runs and a sandbox isolates.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hap::sandbox {

// A file the service reads: laid into the sandbox before it starts.
struct ServiceFile {
  std::string path;  // absolute, inside the sandbox; beneath service_folder unless the root is the user's
  std::string content;
  unsigned mode = 0644;
};

// Where a service's files go: writable in every sandbox, the machine's own root being read-only.
inline constexpr const char* service_folder = "/tmp/hap-service";

// What runs inside. `{address}` in an argument stands for the address the service shall listen on.
struct Service {
  std::string name;
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::string working_dir = "/";
  uint16_t port = 0;
  std::string task;  // name the kernel shows for its task; empty: the program's base name
  std::vector<ServiceFile> files;
  std::string root;  // folder with the service's own root file system; empty: the machine's own
  // Seconds between two firings of the slowest timer that it is known to work by; 0: none is known.
  unsigned slowest_timer_s = 0;
  unsigned memory_mib = 256;  // for sandboxes that have to set memory aside
  bool runs_as_user = false;  // the program refuses to run as root (PostgreSQL): started as `nobody`
};

}  // namespace hap::sandbox
