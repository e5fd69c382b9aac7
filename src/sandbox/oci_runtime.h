// Driving an OCI runtime (runc, crun, runsc, or any other by name) through its command line.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::sandbox {

class OciContainer {
 public:
  // `program` and its global flags. The container is named `hap-cell`, its state lies beneath state_folder.
  OciContainer(std::string program, std::vector<std::string> flags);
  // From now on `start` runs with an empty folder over `path` in a mount namespace of its own.
  void hide_from_start(std::string path) { hidden_ = std::move(path); }
  // Writes the bundle and creates and starts the container (two commands, as engines do). What the service
  // prints goes to the log.
  Status start(const nlohmann::json& configuration);
  // The process id the runtime reports for the container's first process.
  pid_t first_process() const { return pid_; }
  // SIGTERM, SIGKILL after `grace`, delete.
  Status stop(std::chrono::milliseconds grace);
  std::string last_words() const;

 private:
  std::vector<std::string> command(std::vector<std::string> rest) const;
  Status start_created() const;
  bool running() const;

  std::string program_;
  std::vector<std::string> flags_;
  std::string folder_;
  std::string hidden_;
  pid_t pid_ = -1;
  bool created_ = false;
};

}  // namespace hap::sandbox
