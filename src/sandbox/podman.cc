// Containers through podman: the same container as docker-default and docker-seccomp, set up by an engine
// that people use. podman's own programs, the OCI runtime it calls and conmon, which stays as long as the
// container does, are host daemons; the container's cgroup is beneath the cell's.
//
// Only what would make another container of it is not left to podman's defaults: the capabilities are
// Docker's (podman gives three fewer), the network is the cell's own, and the root is a plain folder.
#include <cstdlib>

#include "base/file.h"
#include "sandbox/command.h"
#include "sandbox/container_place.h"
#include "sandbox/oci_spec.h"
#include "sandbox/seccomp_choice.h"
#include "sandbox/service_command.h"
#include "sandbox/technologies.h"

namespace hap::sandbox {
namespace {

constexpr const char* container_name = "hap-cell";

class Podman : public Sandbox {
 public:
  explicit Podman(PodmanKind kind) : kind_(std::move(kind)) {}
  ~Podman() override { (void)stop(); }

  Result<Instance> start(const Service& service) override {
    auto instance = try_start(service);
    if (!instance) (void)stop();
    return instance;
  }

  Status stop() override {
    Status removed;
    if (created_) {
      created_ = false;
      removed = run_detaching(command({"rm", "--force", "--time", "2", container_name}), folder_ + "/log")
                    .context_if("removing the container");
    }
    HAP_CHECK(place_.remove());
    return removed;
  }

  std::string last_words() const override {
    return tail_of_file(folder_ + "/container-log") + "\n" + tail_of_file(folder_ + "/log");
  }

 private:
  // podman keeps nothing outside the cell's folder.
  std::vector<std::string> command(const std::vector<std::string>& rest) const {
    std::vector<std::string> argv{kind_.program,
                                  "--root",
                                  folder_ + "/root",
                                  "--runroot",
                                  folder_ + "/run",
                                  "--tmpdir",
                                  folder_ + "/tmp",
                                  "--storage-driver",
                                  "vfs",
                                  "--cgroup-manager",
                                  "cgroupfs",
                                  "--events-backend",
                                  "none"};
    argv.insert(argv.end(), rest.begin(), rest.end());
    return argv;
  }

  std::vector<std::string> run_arguments(const Service& service, const std::string& seccomp) const {
    std::vector<std::string> words{"run", "--detach", "--name", container_name, "--hostname", "cell",
                                   // conmon stays where podman is, among the host daemons
                                   "--cgroups", "no-conmon", "--cgroup-parent", scope_cgroup, "--network",
                                   "ns:" + place_.netns(), "--security-opt", "seccomp=" + seccomp,
                                   "--workdir", service.working_dir, "--log-driver", "k8s-file", "--log-opt",
                                   "path=" + folder_ + "/container-log", "--pidfile", folder_ + "/pid",
                                   "--cap-drop", "all"};
    for (const auto& capability : docker_capabilities()) {
      words.insert(words.end(), {"--cap-add", capability});
    }
    for (const auto& [name, value] : service.env) words.insert(words.end(), {"--env", name + "=" + value});
    words.insert(words.end(), {"--rootfs", place_.rootfs()});
    for (auto& word : service_command(service, sandbox_address, true)) words.push_back(std::move(word));
    return words;
  }

  Result<Instance> try_start(const Service& service) {
    Instance instance;
    HAP_TRY(folder, fresh_state("podman"));
    folder_ = folder;
    HAP_CHECK(place_.make(service));
    HAP_TRY(seccomp, choose_seccomp(kind_.seccomp_profile, kind_.seccomp_origin, instance.facts));
    created_ = true;
    HAP_CHECK(run_detaching(command(run_arguments(service, seccomp.path)), folder_ + "/log")
                  .context_if("running the container"));
    HAP_TRY(pid_text, read_file(folder_ + "/pid"));
    const pid_t first = std::atoi(pid_text.c_str());
    if (first <= 0) return Error("podman did not say which process the container is", ErrorKind::sandbox);

    instance.address = sandbox_address;
    instance.port = service.port;
    instance.processes = {first};
    instance.scope = place_.network_scope();
    instance.scope.push_back({"cgroup", scope_cgroup, "application"});
    instance.expected_tasks = {task_name(service)};
    instance.facts["runtime"] = "podman";
    instance.facts["runtime_version"] = first_line_of({kind_.program, "--version"});
    instance.facts["monitor"] = first_line_of({"conmon", "--version"});
    instance.facts["required_roles"] = "application";
    return instance;
  }

  PodmanKind kind_;
  std::string folder_;
  bool created_ = false;
  ContainerPlace place_;
};

}  // namespace

std::unique_ptr<Sandbox> make_podman(const PodmanKind& kind) {
  return std::make_unique<Podman>(kind);
}

}  // namespace hap::sandbox
