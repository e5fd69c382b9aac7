// The lab machine with a hypervisor beneath its kernel: which machine that is, and how QEMU is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "lab/qemu.h"
#include "lab/spec.h"

namespace hap::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string value_of(const std::vector<std::string>& argv, const std::string& option) {
  const auto found = std::find(argv.begin(), argv.end(), option);
  return found == argv.end() || found + 1 == argv.end() ? "" : *(found + 1);
}

TEST(Hypervisor, TakesTheFullKernelUnlessAnotherIsNamed) {
  EXPECT_EQ(on_hypervisor({}, "xen").kernel, "full") << "the cloud kernel cannot be dom0";
  LabSpec exact;
  exact.kernel = "linux-image-6.12.1+deb13-amd64";
  EXPECT_EQ(on_hypervisor(exact, "xen").kernel, exact.kernel);
  EXPECT_EQ(on_hypervisor({}, "").kernel, "cloud") << "nothing beneath: nothing changes";
}

TEST(Hypervisor, SpecIsChecked) {
  EXPECT_TRUE(check_spec(on_hypervisor({}, "xen")));
  EXPECT_FALSE(check_spec(on_hypervisor({}, "hyperv")));
  LabSpec cloud;
  cloud.hypervisor = "xen";
  EXPECT_FALSE(check_spec(cloud));
  LabSpec two = on_hypervisor({}, "xen");
  two.processors = 2;
  EXPECT_FALSE(check_spec(two)) << "domains are followed on one processor only";
}

TEST(Hypervisor, HintsNameTheMachine) {
  EXPECT_EQ(spec_options({}), "");
  EXPECT_EQ(spec_options(on_hypervisor({}, "xen")), " --hypervisor xen");
  LabSpec older;
  older.suite = "bookworm";
  older.kernel = "full";
  EXPECT_EQ(spec_options(older), " --suite bookworm --kernel full");
}

TEST(Hypervisor, BootsFirstAndIsGivenTheKernel) {
  MachineParts parts;
  parts.hypervisor = "/c/xen";
  parts.kernel = "/c/k,1/vmlinuz";
  parts.initramfs = "/c/initramfs.cpio";
  const auto argv = machine_command(on_hypervisor({}, "xen"), parts);
  EXPECT_EQ(value_of(argv, "-kernel"), "/c/xen");
  EXPECT_THAT(value_of(argv, "-append"), HasSubstr("dom0_mem=1408M,max:1408M"));
  const std::string modules = value_of(argv, "-initrd");
  EXPECT_EQ(modules.rfind("/c/k,,1/vmlinuz console=hvc0 ", 0), 0u) << modules;
  EXPECT_THAT(modules, HasSubstr(",/c/initramfs.cpio")) << "a single comma separates modules";
  EXPECT_THAT(modules, HasSubstr("nokaslr"));
  EXPECT_NE(machine_identity(on_hypervisor({}, "xen")), machine_identity({}));
}

TEST(Hypervisor, WithoutOneNothingOfItIsThere) {
  MachineParts parts;
  parts.kernel = "/c/vmlinuz";
  const auto argv = machine_command({}, parts);
  EXPECT_EQ(value_of(argv, "-kernel"), "/c/vmlinuz");
  EXPECT_THAT(value_of(argv, "-append"), Not(HasSubstr("dom0")));
}

}  // namespace
}  // namespace hap::lab
