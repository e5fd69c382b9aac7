// `bare`: the service as an ordinary root process of the machine, in a cgroup of its own so that it can be
// told apart. Nothing isolates it. It listens on the bridge's address, which the kernel serves over loopback.
#include <fcntl.h>

#include <cerrno>

#include "base/subprocess.h"
#include "sandbox/cgroup.h"
#include "sandbox/command.h"
#include "sandbox/network.h"
#include "sandbox/rootfs.h"
#include "sandbox/service_command.h"
#include "sandbox/technologies.h"

namespace hap::sandbox {
namespace {

class Bare : public Sandbox {
 public:
  ~Bare() override { (void)stop(); }

  Result<Instance> start(const Service& service) override {
    auto instance = try_start(service);
    if (!instance) (void)stop();
    return instance;
  }

  Status stop() override {
    if (process_) process_->terminate(std::chrono::seconds(5));
    process_.reset();
    HAP_TRY(group, Cgroup::name(scope_cgroup));
    HAP_CHECK(group.kill());
    return group.remove();
  }

  std::string last_words() const override { return tail_of_file(log_); }

 private:
  Result<Instance> try_start(const Service& service) {
    HAP_CHECK(ensure_bridge());
    HAP_TRY(folder, fresh_state("bare"));
    log_ = folder + "/log";
    HAP_CHECK(place_files(service, service.root));
    HAP_TRY(group, Cgroup::create(scope_cgroup));
    HAP_TRY(procs, group.procs_fd());
    UniqueFd log(::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!log.valid()) return Error::from_errno("cannot create", errno).at(log_);
    SpawnOptions options;
    options.argv = service_command(service, bridge_address, true);
    // A root of its own changes what is found where, and isolates nothing.
    if (!service.root.empty()) options.argv.insert(options.argv.begin(), {"chroot", service.root});
    options.env = service.env;
    options.working_dir = service.working_dir;
    options.stdout_fd = log.get();
    options.stderr_fd = log.get();
    options.cgroup_procs_fd = procs.get();
    auto process = Subprocess::spawn(options);
    if (!process) return process.error().context("starting the service");
    process_ = std::move(*process);
    Instance instance;
    instance.address = bridge_address;
    instance.port = service.port;
    instance.processes = {process_->pid()};
    instance.scope = {{"cgroup", scope_cgroup, "application"}};
    instance.expected_tasks = {task_name(service)};
    instance.facts["required_roles"] = "application";
    return instance;
  }

  std::optional<Subprocess> process_;
  std::string log_;
};

}  // namespace

std::unique_ptr<Sandbox> make_bare() {
  return std::make_unique<Bare>();
}

}  // namespace hap::sandbox
