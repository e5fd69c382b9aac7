// Containers of the machine's own kernel, through an OCI runtime: `docker-default`, `docker-seccomp`,
// `app-container`, and any other runtime by name.
#include <sys/utsname.h>

#include <cstdio>

#include "sandbox/command.h"
#include "sandbox/container_place.h"
#include "sandbox/oci_runtime.h"
#include "sandbox/oci_spec.h"
#include "sandbox/seccomp_choice.h"
#include "sandbox/seccomp_profile.h"
#include "sandbox/service_command.h"
#include "sandbox/technologies.h"
#include "sandbox/vm_processes.h"

namespace hap::sandbox {
namespace {

constexpr unsigned app_uid = 1000;

class Container : public Sandbox {
 public:
  explicit Container(ContainerKind kind) : kind_(std::move(kind)), container_(kind_.runtime, {}) {}
  ~Container() override { (void)stop(); }

  Result<Instance> start(const Service& service) override {
    auto instance = try_start(service);
    if (!instance) (void)stop();
    return instance;
  }

  Status stop() override {
    // A service that ignores SIGTERM as the first process of its namespace (python) costs this whole time.
    Status status = container_.stop(std::chrono::seconds(2));
    HAP_CHECK(place_.remove());
    return status;
  }

  std::string last_words() const override { return container_.last_words(); }

  std::vector<ScopeRule> late_scope() override {
    std::vector<ScopeRule> rules;
    for (const pid_t monitor : monitors_) {
      for (const auto& name : kernel_threads_of(monitor)) {
        rules.push_back({"kthread", name.substr(0, 15), "sandbox"});
      }
    }
    return rules;
  }

 private:
  Result<nlohmann::json> seccomp(std::map<std::string, std::string>& facts) const {
    HAP_TRY(choice, choose_seccomp(kind_.seccomp_profile, kind_.seccomp_origin, facts));
    utsname name{};
    ::uname(&name);
    SeccompTarget target;
    std::sscanf(name.release, "%d.%d", &target.kernel_major, &target.kernel_minor);
    if (!kind_.rootless) target.capabilities = {docker_capabilities().begin(), docker_capabilities().end()};
    return resolve_seccomp(choice.text, target);
  }

  Result<Instance> try_start(const Service& service) {
    Instance instance;
    HAP_CHECK(place_.make(service));

    OciPlan plan;
    plan.argv = service_command(service, sandbox_address, !kind_.rootless);
    plan.env = service.env;
    plan.working_dir = service.working_dir;
    plan.rootfs = place_.rootfs();
    plan.netns = place_.netns();
    plan.cgroup = scope_cgroup;
    if (kind_.seccomp) {
      HAP_TRY(profile, seccomp(instance.facts));
      plan.seccomp = profile;
    }
    if (kind_.rootless) {
      plan.user_namespace = true;
      plan.uid = app_uid;
      plan.no_new_privileges = true;
    } else {
      plan.capabilities = docker_capabilities();
    }
    const std::set<pid_t> others = all_processes();
    if (auto started = container_.start(oci_configuration(plan)); !started) return started.error();

    instance.address = sandbox_address;
    instance.port = service.port;
    instance.processes = {container_.first_process()};
    instance.scope = place_.network_scope();
    instance.scope.push_back({"cgroup", scope_cgroup, "application"});
    instance.expected_tasks = {task_name(service)};
    instance.facts["runtime"] = kind_.runtime;
    instance.facts["runtime_version"] = first_line_of({kind_.runtime, "--version"});
    instance.facts["required_roles"] = "application";
    HAP_CHECK(follow_virtual_machines(others, instance));
    return instance;
  }

  // What a VM-based runtime left behind besides the container: its monitors have their roles wherever they
  // are; whatever else is in the container's cgroup then works for the tenant from outside its boundary.
  Status follow_virtual_machines(const std::set<pid_t>& others, Instance& instance) {
    std::set<pid_t> made = all_processes();
    for (const pid_t pid : others) made.erase(pid);
    const auto machines = virtual_machines(made);
    if (machines.empty()) {
      if (!kind_.virtual_machine) return {};
      return Error("the runtime " + kind_.runtime + " started no virtual machine", ErrorKind::sandbox);
    }
    instance.processes.clear();
    instance.expected_tasks.clear();
    for (auto& rule : instance.scope) rule.role = rule.kind == "cgroup" ? "host-daemon" : "sandbox";
    for (const auto& rule : scope_of(machines)) instance.scope.push_back(rule);
    for (const auto& machine : machines) {
      if (machine.vcpus.empty()) {
        return Error("the virtual machine monitor " + machine.comm + " has no vCPU thread",
                     ErrorKind::sandbox);
      }
      instance.processes.push_back(machine.pid);
      instance.expected_tasks.push_back(machine.comm);
      monitors_.push_back(machine.pid);
    }
    instance.facts["required_roles"] = "sandbox,vcpu";
    return {};
  }

  ContainerKind kind_;
  std::vector<pid_t> monitors_;  // of virtual machines
  OciContainer container_;
  ContainerPlace place_;
};

}  // namespace

std::unique_ptr<Sandbox> make_container(const ContainerKind& kind) {
  return std::make_unique<Container>(kind);
}

}  // namespace hap::sandbox
