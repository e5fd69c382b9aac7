// What exists, what it takes, and what a container's configuration says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "sandbox/catalogue.h"
#include "sandbox/oci_spec.h"
#include "sandbox/service_command.h"

namespace hap::sandbox {
namespace {

using ::testing::HasSubstr;

TEST(Catalogue, HasEveryRowOfTheDesignOnce) {
  std::set<std::string> names;
  for (const auto& entry : catalogue()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    EXPECT_FALSE(entry.isolation.empty()) << entry.name;
  }
  for (const char* name :
       {"bare", "lxc", "app-container", "docker-default", "docker-seccomp", "gvisor-ptrace", "gvisor-systrap",
        "gvisor-kvm", "kvm-qemu", "kvm-microvm", "xen-pv", "kata-qemu", "kata-fc", "nabla"}) {
    EXPECT_EQ(names.count(name), 1U) << name;
  }
}

TEST(Catalogue, RefusesUnknownNamesAndSaysWhichExist) {
  const auto made = make_sandbox("dockr", {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::usage);
  EXPECT_THAT(made.error().hint(), HasSubstr("docker-default"));
}

TEST(Catalogue, RefusesOptionsASandboxDoesNotTake) {
  Options runtime;
  runtime.runtime = "crun";
  EXPECT_FALSE(make_sandbox("bare", runtime));
  EXPECT_TRUE(make_sandbox("docker-default", runtime));
  Options profile;
  profile.seccomp_profile = "{}";
  EXPECT_FALSE(make_sandbox("docker-default", profile));
  EXPECT_TRUE(make_sandbox("docker-seccomp", profile));
  Options slow;
  slow.vhost = false;
  EXPECT_FALSE(make_sandbox("docker-default", slow));
  EXPECT_TRUE(make_sandbox("kvm-qemu", slow));
}

TEST(Catalogue, DockerSeccompWantsAProfile) {
  const auto made = make_sandbox("docker-seccomp", {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::usage);
}

TEST(Catalogue, SaysWhyAnUnavailableSandboxIsSo) {
  const auto made = make_sandbox("gvisor-kvm", {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(made.error().message(), HasSubstr("virtualization"));
}

TEST(Catalogue, FindsWhatIsMissing) {
  Entry entry;
  entry.requirements = {{Requirement::Kind::program, "no-such-program-here", "pkg", "why"},
                        {Requirement::Kind::file, "/proc/self/stat", "", ""},
                        {Requirement::Kind::device, "/dev/no-such-device", "", ""}};
  const auto unmet = unmet_requirements(entry);
  ASSERT_EQ(unmet.size(), 2U);
  EXPECT_EQ(unmet[0].what, "no-such-program-here");
  EXPECT_EQ(unmet[1].what, "/dev/no-such-device");
}

OciPlan plan() {
  OciPlan plan;
  plan.argv = {"redis-server"};
  plan.rootfs = "/r";
  plan.netns = "/run/netns/x";
  plan.cgroup = "/hap/cell";
  plan.capabilities = docker_capabilities();
  return plan;
}

std::set<std::string> namespace_types(const nlohmann::json& configuration) {
  std::set<std::string> types;
  for (const auto& row : configuration.at("linux").at("namespaces"))
    types.insert(row.at("type").get<std::string>());
  return types;
}

TEST(OciConfiguration, IsDockersDefault) {
  const auto configuration = oci_configuration(plan());
  EXPECT_EQ(namespace_types(configuration),
            (std::set<std::string>{"mount", "uts", "pid", "ipc", "cgroup", "network"}));
  EXPECT_EQ(configuration.at("process").at("capabilities").at("bounding").size(), 14U);
  EXPECT_FALSE(configuration.at("process").at("capabilities").contains("ambient"));
  EXPECT_FALSE(configuration.at("linux").contains("seccomp"));
  // All devices are denied before some are allowed.
  EXPECT_EQ(configuration.at("linux").at("resources").at("devices")[0].at("allow"), false);
  EXPECT_EQ(configuration.at("linux").at("cgroupsPath"), "/hap/cell");
}

TEST(OciConfiguration, OfANonRootContainerMapsIds) {
  OciPlan app = plan();
  app.user_namespace = true;
  app.uid = 1000;
  app.capabilities.clear();
  app.no_new_privileges = true;
  app.seccomp = {{"defaultAction", "SCMP_ACT_ERRNO"}};
  const auto configuration = oci_configuration(app);
  EXPECT_EQ(namespace_types(configuration).count("user"), 1U);
  EXPECT_EQ(configuration.at("linux").at("uidMappings")[0].at("hostID"), 100000);
  EXPECT_EQ(configuration.at("process").at("user").at("uid"), 1000);
  EXPECT_EQ(configuration.at("process").at("noNewPrivileges"), true);
  EXPECT_TRUE(configuration.at("process").at("capabilities").at("effective").empty());
  EXPECT_EQ(configuration.at("linux").at("seccomp").at("defaultAction"), "SCMP_ACT_ERRNO");
}

TEST(ServiceCommand, FillsTheAddressInAndDropsRoot) {
  Service service;
  service.argv = {"/usr/bin/serve-something-long", "--bind={address}:{address}"};
  EXPECT_EQ(service_command(service, "10.0.0.1", true),
            (std::vector<std::string>{"/usr/bin/serve-something-long", "--bind=10.0.0.1:10.0.0.1"}));
  EXPECT_EQ(task_name(service), "serve-something");
  service.runs_as_user = true;
  EXPECT_EQ(service_command(service, "10.0.0.1", false).front(), "/usr/bin/serve-something-long");
  EXPECT_EQ(service_command(service, "10.0.0.1", true).front(), "setpriv");
}

}  // namespace
}  // namespace hap::sandbox
