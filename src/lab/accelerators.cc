#include "lab/accelerators.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "base/subprocess.h"
#include "base/unique_fd.h"
#include "lab/cache.h"
#include "lab/kernel.h"
#include "lab/memory_log.h"
#include "lab/qemu.h"

namespace hap::lab {
namespace {

using namespace std::chrono_literals;

// isa-debug-exit ends QEMU with status (value << 1) | 1.
constexpr unsigned char kExitValue = 0x21;
constexpr int kExitStatus = (kExitValue << 1) | 1;
constexpr size_t kFirmwareBytes = size_t{64} << 10;

// QEMU's complaint without the name of the program.
std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  const std::string prefix = std::string(kQemuProgram) + ": ";
  return line.rfind(prefix, 0) == 0 ? line.substr(prefix.size()) : line;
}

std::vector<std::string> trial_command(const std::string& accelerator, const std::string& kernel,
                                       int firmware) {
  std::vector<std::string> argv = {kQemuProgram, "-nodefaults",    "-no-user-config",
                                   "-no-reboot", "-display",       "none",
                                   "-accel",     accelerator,      "-m",
                                   "512",        "-chardev",       "stdio,id=console,signal=off",
                                   "-serial",    "chardev:console"};
  if (kernel.empty()) {
    argv.insert(argv.end(), {"-machine", "pc", "-bios", "/proc/self/fd/" + std::to_string(firmware),
                             "-device", "isa-debug-exit,iobase=0xf4,iosize=4"});
  } else {
    argv.insert(argv.end(),
                {"-machine", "q35", "-kernel", kernel, "-append", "console=ttyS0 panic=-1 nokaslr"});
  }
  return argv;
}

AcceleratorProbe try_accelerator(const std::string& name, const std::string& kernel,
                                 std::chrono::milliseconds limit, const CancelToken& cancel) {
  AcceleratorProbe probe{name, false, "", 0, false};
  UniqueFd output(memfd_create("hap-probe", MFD_CLOEXEC));
  UniqueFd firmware(memfd_create("hap-firmware", MFD_CLOEXEC));
  std::string rom = exit_firmware();
  if (!output.valid() || !firmware.valid() ||
      write(firmware.get(), rom.data(), rom.size()) != static_cast<ssize_t>(rom.size())) {
    probe.why_not = "the trial could not be prepared";
    return probe;
  }
  SpawnOptions options;
  options.argv = trial_command(name, kernel, firmware.get());
  options.stdout_fd = output.get();
  options.stderr_fd = output.get();
  options.keep_fds = {firmware.get()};
  auto begin = std::chrono::steady_clock::now();
  auto qemu = Subprocess::spawn(options);
  if (!qemu) {
    probe.why_not = qemu.error().to_string();
    return probe;
  }
  std::optional<int> status;
  while (!status && std::chrono::steady_clock::now() < begin + limit && !cancel.requested()) {
    auto waited = qemu->wait_for(100ms);
    if (!waited) break;
    status = *waited;
  }
  probe.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::string text = memory_log_text(output.get());
  if (kernel.empty()) {
    probe.usable = status && WIFEXITED(*status) && WEXITSTATUS(*status) == kExitStatus;
  } else {
    probe.usable = text.find("Kernel panic") != std::string::npos;
    probe.booted_kernel = probe.usable;
  }
  if (!probe.usable) {
    probe.why_not = status ? "QEMU ended: " + first_line(text)
                           : "the guest got nowhere within " + std::to_string(limit.count() / 1000) + " s";
  }
  return probe;
}

}  // namespace

std::string exit_firmware() {
  std::string rom(kFirmwareBytes, '\xf4');  // hlt
  // The processor starts 16 bytes below the end: mov $value, %al; out %al, $0xf4; hlt
  const unsigned char code[] = {0xb0, kExitValue, 0xe6, 0xf4, 0xf4};
  for (size_t i = 0; i < sizeof code; ++i) rom[kFirmwareBytes - 16 + i] = static_cast<char>(code[i]);
  return rom;
}

std::vector<AcceleratorProbe> probe_accelerators(const std::string& kernel, std::chrono::milliseconds limit,
                                                 const CancelToken& cancel) {
  // What TCG can do is certain once its first instructions run; only hardware acceleration can fail later.
  return {try_accelerator("tcg", "", limit, cancel), try_accelerator("kvm", kernel, limit, cancel)};
}

std::vector<AcceleratorProbe> probe_accelerators(const CancelToken& cancel) {
  std::string kernel;
  if (auto cache = LabCache::open()) {
    if (auto entry = find_kernel(*cache, LabSpec())) kernel = entry->file(kVmlinuz);
  }
  return probe_accelerators(kernel, 10s, cancel);
}

}  // namespace hap::lab
