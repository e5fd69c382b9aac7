// gVisor: the service runs under the Sentry, a user-space kernel with its own network stack, which gets the
// packets of the veth through an AF_PACKET socket.
//
// Roles: the Sentry and its stub processes are the `sandbox`. The stubs execute the tenant's code from memory
// that the Sentry provides (a memfd named runsc-memory) or from the tenant's files: by image that is
// `application`. The gofer, which opens files for the Sentry, is a host daemon.
#include "base/subprocess.h"
#include "sandbox/cgroup.h"
#include "sandbox/command.h"
#include "sandbox/container_place.h"
#include "sandbox/oci_runtime.h"
#include "sandbox/oci_spec.h"
#include "sandbox/service_command.h"
#include "sandbox/technologies.h"

namespace hap::sandbox {
namespace {

class Gvisor : public Sandbox {
 public:
  Gvisor(std::string platform, std::string runtime)
      : platform_(std::move(platform)),
        runtime_(std::move(runtime)),
        container_(runtime_, {"--platform=" + platform_, "--network=sandbox"}) {}
  ~Gvisor() override { (void)stop(); }

  Result<Instance> start(const Service& service) override {
    auto instance = try_start(service);
    if (!instance) (void)stop();
    return instance;
  }

  Status stop() override {
    Status status = container_.stop(std::chrono::seconds(10));
    HAP_CHECK(place_.remove());
    return status;
  }

  std::string last_words() const override { return container_.last_words(); }

 private:
  Result<Instance> try_start(const Service& service) {
    HAP_CHECK(place_.make(service));

    // runsc refuses to take over the interfaces of what it holds for the machine's own network namespace, and
    // it tells that one by /proc/sys/net/core/rmem_default. Since Linux 6.9 every namespace has that file, so
    // Debian's runsc (20240729; later ones look at dev_weight) would refuse every one.
    container_.hide_from_start("/proc/sys/net");

    OciPlan plan;
    plan.argv = service_command(service, sandbox_address, true);
    plan.env = service.env;
    plan.working_dir = service.working_dir;
    plan.rootfs = place_.rootfs();
    plan.netns = place_.netns();
    plan.cgroup = scope_cgroup;
    plan.capabilities = docker_capabilities();
    if (auto started = container_.start(oci_configuration(plan)); !started) return started.error();

    Instance instance;
    instance.address = sandbox_address;
    instance.port = service.port;
    instance.scope = place_.network_scope();
    for (auto& rule : instance.scope) rule.role = "sandbox";
    instance.scope.push_back({"cgroup", scope_cgroup, "sandbox"});
    HAP_TRY(group, Cgroup::name(scope_cgroup));
    const std::vector<pid_t> inside = group.processes();
    // Stubs come and go; the Sentry is there as long as the sandbox is.
    instance.processes = with_command_line(inside, "runsc-sandbox");
    if (instance.processes.empty()) {
      return Error("the Sentry is not in the sandbox's cgroup", ErrorKind::sandbox).at(scope_cgroup);
    }
    for (const pid_t gofer : with_command_line(inside, "runsc-gofer")) {
      instance.scope.push_back({"pid", std::to_string(gofer), "host-daemon"});
    }
    instance.expected_tasks = {"exe"};  // what runsc starts itself as: the Sentry, its threads and stubs
    // The stubs' own code is what the Sentry put into them without a file.
    for (const std::string& own :
         {find_program(runtime_).value_or(runtime_), std::string("[anon]"), std::string("[vdso]")}) {
      instance.scope.push_back({"image", own, "sandbox"});
    }
    instance.scope.push_back({"image", "*", "application"});
    instance.facts["runtime"] = runtime_;
    instance.facts["runtime_version"] = first_line_of({runtime_, "--version"});
    instance.facts["platform"] = platform_;
    instance.facts["required_roles"] = "sandbox";
    return instance;
  }

  std::string platform_;
  std::string runtime_;
  OciContainer container_;
  ContainerPlace place_;
};

}  // namespace

std::unique_ptr<Sandbox> make_gvisor(const std::string& platform, const std::string& runtime) {
  return std::make_unique<Gvisor>(platform, runtime);
}

}  // namespace hap::sandbox
