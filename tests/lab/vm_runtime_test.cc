// Runtimes named by --runtime that start a virtual machine, as Kata's do. None of those is in Debian, so a
// small one is made here: an OCI runtime in shell whose container is a machine of QEMU and KVM, outside the
// container's cgroup, in which busybox serves a page. About half a minute.
#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "hap/recording.h"
#include "program/hap_program.h"

namespace hap::testing {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;

constexpr const char* vm_runtime = R"sh(#!/bin/sh
set -e
words=
while [ $# -gt 0 ]; do
  case $1 in
    --version) echo "vm-runtime 1"; exit ;;
    --root) state=$2; shift ;;
    --bundle) bundle=$2; shift ;;
    --pid-file) pid_file=$2; shift ;;
    *) words="$words $1" ;;
  esac
  shift
done
set -- $words
guest_root() {
  mkdir -p bin lib lib64 proc www
  cp /usr/bin/busybox bin
  cp -L $(ldd /usr/bin/busybox | grep -o '/lib/[^ ]*') lib
  cp -L /lib64/ld-linux-x86-64.so.2 lib64
  for module in net/core/failover drivers/net/net_failover drivers/net/virtio_net; do
    cp "/usr/lib/modules/$(uname -r)/kernel/$module.ko" .
  done
  cp "$bundle"/../root/merged/tmp/hap-service/index.html www
  cat >init <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
for module in failover net_failover virtio_net; do /bin/busybox insmod /$module.ko; done
/bin/busybox ifconfig eth0 10.0.2.15 netmask 255.255.255.0
/bin/busybox route add default gw 10.0.2.2
exec /bin/busybox httpd -f -p 8080 -h /www
INIT
  chmod 755 init
}
case $1 in
  create)
    mkdir -p "$state/guest"
    cd "$state/guest"
    guest_root
    find . | busybox cpio -o -H newc >"$state/initramfs" 2>/dev/null
    machine=q35,accel=kvm,usb=off,graphics=off,vmport=off,hpet=off,smm=off
    setsid nsenter --net=/run/netns/hap-cell qemu-system-x86_64 -name vm,debug-threads=on -nodefaults \
      -no-user-config -display none -no-reboot -machine $machine -bios qboot.rom -cpu host -m 128 \
      -kernel "/usr/lib/modules/$(uname -r)/vmlinuz" -initrd "$state/initramfs" \
      -append "console=ttyS0 quiet nokaslr panic=-1 tsc=reliable no_timer_check" \
      -serial "file:$state/console" -netdev user,id=net,hostfwd=tcp:10.77.0.2:8080-:8080 \
      -device virtio-net-pci,netdev=net,romfile= </dev/null >"$state/log" 2>&1 &
    echo $! >"$pid_file"
    echo $! >"$state/pid"
    ;;
  start) until ls -l "/proc/$(cat "$state/pid")/fd" | grep -q kvm-vcpu; do sleep 0.1; done ;;
  kill) kill "-$3" "$(cat "$state/pid")" ;;
  delete) kill -KILL "$(cat "$state/pid")" 2>/dev/null || true ;;
esac
)sh";

class VmRuntime : public ScratchTest {
 protected:
  // The service's files are in the container's root before the runtime is called, and so is this runtime.
  Seen measure() {
    std::ofstream(scratch("workload.toml"))
        << "name = \"page\"\n"
           "command = [\"busybox\", \"httpd\", \"-f\", \"-p\", \"{address}:8080\", \"-h\", "
           "\"/tmp/hap-service\"]\n"
           "port = 8080\n"
           "[[file]]\npath = \"/tmp/hap-service/vm-runtime\"\nmode = 0o755\ncontent = '''\n"
        << vm_runtime
        << "'''\n"
           "[[file]]\npath = \"/tmp/hap-service/index.html\"\ncontent = \"from the machine\"\n"
           "[load]\nhttp = \"/\"\nexpect = \"from the machine\"\n";
    return hap({"measure", "-s", "docker-default", "-w", scratch("workload.toml"), "--profile", "fast",
                "--requests", "10", "--windows", "5", "-o", scratch("cell.hap"), "--runtime",
                "/run/hap-cell/root/merged/tmp/hap-service/vm-runtime"});
  }
};

std::set<std::string> names_in(const nlohmann::json& rows) {
  std::set<std::string> names;
  for (const auto& row : rows) names.insert(row.at("name").get<std::string>());
  return names;
}

// Intent: the machine is found wherever it runs, and its monitor, virtual processor and guest are told apart.
TEST_F(VmRuntime, IsFollowedOutsideItsContainersCgroup) {
  const auto seen = measure();
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  const auto report = hap({"report", scratch("cell.hap"), "--format", "json"}).json();
  ASSERT_TRUE(report.is_object());
  EXPECT_EQ(report["served"]["failed"], 0);
  EXPECT_THAT(names_in(report["contexts"]), IsSupersetOf({"vcpu", "task"}));
  EXPECT_THAT(names_in(report["layers"]), IsSupersetOf({"sandbox", "guest-kernel", "host-kernel"}));
  EXPECT_TRUE(report["stage1"].is_object());
  std::set<std::string> host;
  for (const auto& function : report["functions"]) {
    if (function["layer"] == "host-kernel" && function["context"] == "vcpu")
      host.insert(function["name"].get<std::string>());
  }
  EXPECT_THAT(host, Contains("kvm_arch_vcpu_ioctl_run"));

  const auto recorded = Recording::open(scratch("cell.hap"));
  ASSERT_TRUE(recorded.ok());
  std::set<std::string> roles;
  for (const auto& rule : recorded->header().scope) {
    if (rule.kind == "tid" || rule.kind == "pid") roles.insert(rule.role);
  }
  EXPECT_THAT(roles, IsSupersetOf({"sandbox", "vcpu"}));
}

}  // namespace
}  // namespace hap::testing
