#include "lab/checkpoint.h"

#include <sstream>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/paths.h"
#include "lab/hypervisor.h"
#include "lab/initramfs.h"
#include "lab/kernel.h"
#include "lab/machine.h"
#include "lab/qemu.h"
#include "lab/userland.h"
#include "lab/warm_list.h"

namespace hap::lab {
namespace {

using namespace std::chrono_literals;

constexpr int kCheckpointVersion = 2;
// Checkpoints of one variant that are kept: builds of hap with different agents may alternate.
constexpr size_t kKept = 3;
// With the instruction clock, booting takes several times as long.
constexpr auto kBootTimeout = 300s;
constexpr auto kQuietTime = 2000;  // milliseconds without work before the machine is frozen

// A checkpoint is not valid for other bytes under any of these.
Result<nlohmann::json> checkpoint_inputs(const LabSpec& spec, const MachineSources& sources,
                                         const std::string& agent, const std::string& warm) {
  HAP_TRY(qemu, find_qemu());
  HAP_TRY(agent_hash, sha256_file(agent));
  auto digest = [](const CacheEntry& entry) { return sha256_hex(entry.manifest.to_text()); };
  nlohmann::json inputs{{"userland", digest(sources.userland)},
                        {"kernel", digest(sources.kernel)},
                        {"agent", agent_hash},
                        {"machine", machine_identity(spec)},
                        {"qemu", qemu.text},
                        {"warm", warm},
                        {"version", kCheckpointVersion}};
  if (sources.hypervisor) inputs["hypervisor"] = digest(*sources.hypervisor);
  return inputs;
}

std::string checkpoint_kind(const LabSpec& spec) {
  std::string kind = "checkpoint-" + spec.suite + "-" + spec.kernel +
                     (spec.hypervisor.empty() ? "" : "-" + spec.hypervisor) + "-" +
                     std::to_string(spec.processors) + "cpu-" + std::to_string(spec.memory_mib) + "m";
  return kind + (spec.icount.empty() ? "-wall" : "-icount");
}

// Brings into the page cache what the list names, and returns what was asked for but is not there.
Status warm_page_cache(Machine& machine, const WarmList& list, Progress& progress,
                       const CancelToken& cancel) {
  // ldd names the libraries a program needs; for what is no program it says so and names none.
  std::vector<std::string> argv{"ldd"};
  argv.insert(argv.end(), list.files.begin(), list.files.end());
  HAP_TRY(listed, machine.call("exec", {{"argv", argv}}, cancel, 120s));
  std::vector<std::string> files = list.files;
  for (auto& file : paths_in_ldd_output(listed.body.value("out", ""))) files.push_back(file);
  HAP_TRY(read, machine.call("warm", {{"paths", files}}, cancel, 300s));
  for (const auto& command : list.commands) {
    auto done = machine.call("exec", {{"argv", command}, {"timeout_ms", 600000}}, cancel, 600s);
    if (!done) return done.error().context("warming the page cache");
    if (done->body.value("status", -1) != 0) {
      progress.note("not warmed: `" + command[0] + "` failed in the machine: " + done->body.value("err", ""));
    }
  }
  return {};
}

Status save_guest_file(Machine& machine, const std::string& path, const std::string& to,
                       const CancelToken& cancel) {
  HAP_TRY(content, machine.call("read_file", {{"path", path}}, cancel, 120s));
  return write_file_atomic(to, content.blob);
}

Result<nlohmann::json> save_facts(Machine& machine, const std::string& folder, const CancelToken& cancel) {
  HAP_CHECK(save_guest_file(machine, "/proc/kallsyms", folder + "/" + kKallsyms, cancel));
  HAP_CHECK(save_guest_file(machine, "/sys/kernel/btf/vmlinux", folder + "/" + kBtf, cancel));
  HAP_TRY(kernel, machine.call("kernel", nlohmann::json::object(), cancel));
  HAP_CHECK(write_file_atomic(folder + "/" + kKernelFacts, kernel.body.dump(1)));
  HAP_TRY(maps, machine.call("process_maps", nlohmann::json::object(), cancel));
  HAP_CHECK(write_file_atomic(folder + "/" + kProcessMaps, maps.blob));
  return std::move(kernel.body);
}

Result<nlohmann::json> build(const std::string& folder, const LabSpec& spec, const MachineSources& sources,
                             const std::string& agent, const WarmList& warm, Progress& progress,
                             const CancelToken& cancel) {
  progress.step("booting the lab machine once");
  const CacheEntry& kernel = sources.kernel;
  HAP_TRY(initramfs, make_initramfs(kernel, agent));
  HAP_CHECK(write_file_atomic(folder + "/" + kInitramfs, initramfs));
  MachineParts parts{kernel.file(kVmlinuz), folder + "/" + kInitramfs, sources.userland.file(kRootImage),
                     kernel.file(kKernelDisk)};
  if (sources.hypervisor) parts.hypervisor = sources.hypervisor->file(kHypervisorImage);
  // Calibrating against a timer, the kernel of a machine on a busy host finds a wrong frequency, and all its
  // clocks would run fast or slow.
  // Xen tells dom0 the frequency that it found itself.
  const uint64_t tsc_khz = guest_tsc_khz(spec);
  if (!sources.hypervisor) parts.boot_parameters = "tsc_early_khz=" + std::to_string(tsc_khz);
  HAP_TRY(machine, Machine::launch(spec, parts, {}, cancel));
  auto ready = machine.guest().wait_event("ready", cancel, kBootTimeout);
  if (!ready) return machine.explain(ready.error()).context("booting the lab machine");
  for (const auto& remark : ready->body.value("remarks", std::vector<std::string>())) {
    progress.note("in the lab machine: " + remark);
  }
  if (sources.hypervisor) {
    progress.step("starting the hypervisor's services");
    HAP_TRY(started, machine.call("start_dom0", nlohmann::json::object(), cancel, 300s));
  }
  progress.step("warming the page cache");
  HAP_CHECK(warm_page_cache(machine, warm, progress, cancel));
  HAP_TRY(facts, save_facts(machine, folder, cancel));
  progress.step("taking the checkpoint");
  HAP_TRY(quiet, machine.call("settle", {{"milliseconds", kQuietTime}}, cancel, 120s));
  HAP_CHECK(machine.save(folder + "/" + kState, cancel));
  HAP_CHECK(machine.quit(cancel));
  HAP_TRY(qemu, find_qemu());
  return nlohmann::json{
      {"release", facts["release"]}, {"build_id", facts["build_id"]}, {"clocksource", facts["clocksource"]},
      {"qemu", qemu.text},           {"processors", spec.processors}, {"memory_mib", spec.memory_mib},
      {"icount", spec.icount},       {"page_cache", "warm"},          {"tsc_khz", tsc_khz}};
}

}  // namespace

Result<CacheEntry> ensure_checkpoint(const LabCache& cache, const LabSpec& spec,
                                     const MachineSources& sources, bool again, Progress& progress,
                                     const CancelToken& cancel) {
  HAP_TRY(agent, companion("hap-agent"));
  HAP_TRY(data, data_dir());
  HAP_TRY(warm, read_file(data + "/lab/warm.txt"));
  if (!spec.hypervisor.empty()) {
    HAP_TRY(more, read_file(data + "/lab/warm-" + spec.hypervisor + ".txt"));
    warm += more;
  }
  HAP_TRY(inputs, checkpoint_inputs(spec, sources, agent, warm));
  std::string kind = checkpoint_kind(spec);
  // The state holds the guest's used memory, and the initramfs comes on top.
  uint64_t space = (static_cast<uint64_t>(spec.memory_mib) << 20) / 2 + (uint64_t{256} << 20);
  auto entry = cache.find_or_build(
      LabCache::entry_name(kind, inputs), inputs, space,
      [&](const std::string& folder) {
        return build(folder, spec, sources, agent, parse_warm_list(warm), progress, cancel);
      },
      progress, cancel, again);
  if (entry) cache.trim(kind + "-", kKept);
  return entry;
}

}  // namespace hap::lab
