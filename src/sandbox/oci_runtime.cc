#include "sandbox/oci_runtime.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "sandbox/command.h"
#include "sandbox/rootfs.h"

namespace hap::sandbox {
namespace {

using namespace std::chrono_literals;
constexpr const char* container_name = "hap-cell";

}  // namespace

OciContainer::OciContainer(std::string program, std::vector<std::string> flags)
    : program_(std::move(program)), flags_(std::move(flags)) {}

std::vector<std::string> OciContainer::command(std::vector<std::string> rest) const {
  std::vector<std::string> argv{program_, "--root", folder_ + "/state"};
  argv.insert(argv.end(), flags_.begin(), flags_.end());
  argv.insert(argv.end(), rest.begin(), rest.end());
  return argv;
}

Status OciContainer::start(const nlohmann::json& configuration) {
  HAP_TRY(folder, fresh_state("oci"));
  folder_ = folder;
  HAP_CHECK(write_file_atomic(folder_ + "/config.json", configuration.dump(1)));
  const std::string pid_file = folder_ + "/pid";
  HAP_CHECK(run_detaching(command({"create", "--bundle", folder_, "--pid-file", pid_file, container_name}),
                          folder_ + "/log")
                .context_if("creating the container"));
  created_ = true;
  HAP_TRY(pid_text, read_file(pid_file));
  pid_ = std::atoi(pid_text.c_str());
  if (pid_ <= 0) return Error("the runtime did not say which process the container is", ErrorKind::sandbox);
  return start_created();
}

Status OciContainer::start_created() const {
  Status started;
  // In a thread, because a mount namespace is left only by ending: children are born in that of the thread.
  std::thread view([&] {
    if (!hidden_.empty()) {
      if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          ::mount("none", hidden_.c_str(), "tmpfs", MS_RDONLY, "") != 0) {
        started = Error::from_errno("cannot hide the folder from the runtime", errno).at(hidden_);
        return;
      }
    }
    started = run_detaching(command({"start", container_name}), folder_ + "/log")
                  .context_if("starting the container");
  });
  view.join();
  return started;
}

bool OciContainer::running() const {
  return pid_ > 0 && ::kill(pid_, 0) == 0;
}

Status OciContainer::stop(std::chrono::milliseconds grace) {
  if (!created_) return {};
  created_ = false;
  if (running()) (void)run_detaching(command({"kill", container_name, "TERM"}), folder_ + "/log");
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (running() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(10ms);
  if (running()) (void)run_detaching(command({"kill", container_name, "KILL"}), folder_ + "/log");
  return run_detaching(command({"delete", "--force", container_name}), folder_ + "/log")
      .context_if("deleting the container");
}

std::string OciContainer::last_words() const {
  return tail_of_file(folder_ + "/log");
}

}  // namespace hap::sandbox
