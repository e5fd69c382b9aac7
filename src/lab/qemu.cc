#include "lab/qemu.h"

#include <x86intrin.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "base/file.h"
#include "base/subprocess.h"
#include "lab/step.h"

namespace hap::lab {
namespace {

using namespace std::chrono_literals;

std::string install_hint() {
  auto release = read_file("/etc/os-release");
  if (release && release->find("bookworm") != std::string::npos) {
    return "install qemu-system-x86 from bookworm-backports (apt-get install -t bookworm-backports "
           "qemu-system-x86)";
  }
  return "install the package qemu-system-x86, version 10 or later";
}

// A comma within an option's value is written twice.
std::string with_double_commas(const std::string& value) {
  std::string quoted;
  for (char c : value) quoted += c == ',' ? std::string(",,") : std::string(1, c);
  return quoted;
}

// A fixed share of the memory for dom0, so that it never balloons; the rest is for Xen and its guests.
// eager-fpu: otherwise Xen restores a guest's vector registers only when it first uses them (CR0.TS), and
// with the emulated processor the guest's programs then crashed or hung.
std::string xen_parameters(const LabSpec& spec) {
  const std::string dom0 = std::to_string(spec.memory_mib / 16 * 11) + "M";
  return "console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning spec-ctrl=eager-fpu "
         "dom0_max_vcpus=1 dom0_mem=" +
         dom0 + ",max:" + dom0;
}

}  // namespace

Result<QemuVersion> parse_qemu_version(const std::string& output) {
  QemuVersion version;
  int patch = 0;
  if (std::sscanf(output.c_str(), "QEMU emulator version %d.%d.%d", &version.major, &version.minor, &patch) <
      2) {
    return Error("QEMU did not tell its version");
  }
  version.text =
      std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(patch);
  return version;
}

Result<QemuVersion> find_qemu() {
  auto path = find_program(kQemuProgram);
  if (!path) return Error("QEMU is not installed", ErrorKind::unsupported).hint(install_hint());
  HAP_TRY(output, run_checked(command({*path, "--version"}), 30s));
  HAP_TRY(version, parse_qemu_version(output));
  version.path = *path;
  if (version.major < kOldestQemu) {
    return Error("QEMU " + version.text + " is too old: the emulator collector needs version " +
                     std::to_string(kOldestQemu),
                 ErrorKind::unsupported)
        .at(*path)
        .hint(install_hint());
  }
  return version;
}

uint64_t guest_tsc_khz(const LabSpec& spec) {
  if (!spec.icount.empty()) return 1000000;
  using Clock = std::chrono::steady_clock;
  // A reading of both clocks may be interrupted in between: of several, the closest pair counts.
  struct Reading {
    uint64_t ticks = 0;
    Clock::time_point time;
    uint64_t width = UINT64_MAX;
  };
  auto read_both = [] {
    Reading best;
    for (int attempt = 0; attempt < 20; ++attempt) {
      const uint64_t before = __rdtsc();
      const auto now = Clock::now();
      const uint64_t after = __rdtsc();
      if (after - before < best.width) best = {before + (after - before) / 2, now, after - before};
    }
    return best;
  };
  const Reading begin = read_both();
  std::this_thread::sleep_for(100ms);
  const Reading end = read_both();
  const double milliseconds = std::chrono::duration<double, std::milli>(end.time - begin.time).count();
  return static_cast<uint64_t>(static_cast<double>(end.ticks - begin.ticks) / milliseconds + 0.5);
}

std::vector<std::string> machine_command(const LabSpec& spec, const MachineParts& parts) {
  auto disk = [](const std::string& id, const std::string& file) {
    return "file=" + with_double_commas(file) + ",if=none,id=" + id +
           ",format=raw,readonly=on,file.locking=off";
  };
  // nokaslr: recorded kernel addresses are link-time addresses. tsc=reliable: real machines use the TSC as
  // their clock; unsure about the emulated one, the kernel would fall back to a device register.
  // no_timer_check: on a busy host, ticks come late, and the kernel would panic over a timer that works.
  const bool xen = !spec.hypervisor.empty();
  std::string parameters = xen ? "console=hvc0 nokaslr panic=-1 quiet"
                               : "console=ttyS0 nokaslr panic=-1 tsc=reliable no_timer_check quiet";
  if (!parts.boot_parameters.empty()) parameters += " " + parts.boot_parameters;
  if (!spec.kernel_parameters.empty()) parameters += " " + spec.kernel_parameters;
  std::vector<std::string> argv = {
      kQemuProgram, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
      // Only what the machine needs: fewer devices, fewer interrupts nobody asked for.
      "-machine", "q35,hpet=off,usb=off,graphics=off,vmport=off",
      // Multi-threaded TCG crashes guests whose kernel patches its own text.
      "-accel", "tcg,thread=single", "-cpu", spec.cpu, "-smp", std::to_string(spec.processors), "-m",
      std::to_string(spec.memory_mib), "-drive", disk("root", parts.root_image), "-device",
      "virtio-blk-pci,drive=root", "-drive", disk("kernel", parts.kernel_disk), "-device",
      "virtio-blk-pci,drive=kernel", "-device", "virtio-serial-pci", "-chardev",
      "socket,id=agent,fd=" + std::to_string(parts.agent_fd), "-device",
      "virtserialport,chardev=agent,name=hap.agent", "-chardev",
      "socket,id=qmp,fd=" + std::to_string(parts.qmp_fd), "-mon", "chardev=qmp,mode=control", "-chardev",
      "stdio,id=console,signal=off", "-serial", "chardev:console"};
  if (xen) {
    // By the multiboot protocol: the kernel and its initramfs are modules, with their parameters behind a
    // space.
    const std::string modules =
        with_double_commas(parts.kernel + " " + parameters) + "," + with_double_commas(parts.initramfs);
    argv.insert(argv.end(),
                {"-kernel", parts.hypervisor, "-append", xen_parameters(spec), "-initrd", modules});
  } else {
    argv.insert(argv.end(), {"-kernel", parts.kernel, "-initrd", parts.initramfs, "-append", parameters});
  }
  if (!spec.icount.empty()) argv.insert(argv.end(), {"-icount", spec.icount});
  return argv;
}

std::vector<std::string> machine_identity(const LabSpec& spec) {
  return machine_command(spec, MachineParts{});
}

}  // namespace hap::lab
