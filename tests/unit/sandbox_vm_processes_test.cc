// A VM-based runtime's virtual machine is found outside the container's cgroup: on a procfs made by hand.
#include "sandbox/vm_processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/temp_dir.h"

namespace hap::sandbox {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class VmProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(dir.ok());
    dir_ = std::make_unique<TempDir>(std::move(*dir));
  }
  std::string proc() const { return dir_->file("proc"); }
  void thread(pid_t pid, pid_t tid, const std::string& comm, const std::string& stack = "") {
    const std::string folder = proc() + "/" + std::to_string(pid) + "/task/" + std::to_string(tid);
    fs::create_directories(folder);
    ASSERT_TRUE(write_file_atomic(folder + "/comm", comm + "\n"));
    ASSERT_TRUE(write_file_atomic(folder + "/stack", stack));
    if (pid != tid) return;
    ASSERT_TRUE(write_file_atomic(proc() + "/" + std::to_string(pid) + "/comm", comm + "\n"));
  }
  void opened(pid_t pid, int fd, const std::string& what) {
    const std::string folder = proc() + "/" + std::to_string(pid) + "/fd";
    fs::create_directories(folder);
    fs::create_symlink(what, folder + "/" + std::to_string(fd));
  }

  std::unique_ptr<TempDir> dir_;
};

TEST_F(VmProcesses, FindsTheMonitorByTheMachineItHolds) {
  thread(10, 10, "kata-runtime");
  opened(10, 0, "/dev/kvm");  // it only asked whether there is KVM
  thread(20, 20, "qemu-system-x86");
  thread(20, 21, "CPU 0/KVM");
  thread(20, 22, "CPU 1/KVM");
  thread(20, 23, "IO iothread");
  opened(20, 9, "anon_inode:kvm-vm");
  thread(30, 30, "firecracker");
  thread(30, 31, "fc_vcpu 0");
  opened(30, 5, "anon_inode:kvm-vm");
  const auto machines = virtual_machines(all_processes(proc()), proc());
  ASSERT_EQ(machines.size(), 2U);
  EXPECT_EQ(machines[0].pid, 20);
  EXPECT_EQ(machines[0].comm, "qemu-system-x86");
  EXPECT_THAT(machines[0].vcpus, UnorderedElementsAre(21, 22));
  EXPECT_THAT(machines[1].vcpus, ElementsAre(31));
}

TEST_F(VmProcesses, FindsAVcpuWithoutANameByWhereItIs) {
  thread(40, 40, "dragonball");
  thread(40, 41, "dragonball",
         "[<0>] kvm_arch_vcpu_ioctl_run+0x1\n[<0>] kvm_vcpu_ioctl+0x2\n[<0>] __x64_sys_ioctl\n");
  opened(40, 3, "anon_inode:kvm-vm");
  const auto machines = virtual_machines({40}, proc());
  ASSERT_EQ(machines.size(), 1U);
  EXPECT_THAT(machines[0].vcpus, ElementsAre(41));
}

TEST_F(VmProcesses, LooksOnlyAtTheCandidates) {
  thread(20, 20, "qemu-system-x86");
  opened(20, 9, "anon_inode:kvm-vm");
  EXPECT_TRUE(virtual_machines({21}, proc()).empty());
  EXPECT_TRUE(virtual_machines({}, proc()).empty());
  EXPECT_TRUE(all_processes(dir_->file("nothing")).empty());
}

TEST_F(VmProcesses, HaveTheRolesOfAVirtualMachine) {
  const auto rules = scope_of({{20, "qemu-system-x86", {21, 22}}});
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[0].kind + " " + rules[0].value + " " + rules[0].role, "pid 20 sandbox");
  EXPECT_EQ(rules[1].kind + " " + rules[1].value + " " + rules[1].role, "tid 21 vcpu");
}

}  // namespace
}  // namespace hap::sandbox
