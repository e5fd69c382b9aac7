// The lab as the rest of hap uses it: build it once, then start cells from its checkpoint.
//
//   auto lab = lab::build_lab(spec, {}, progress, cancel);          // minutes the first time, then nothing
//   auto machine = lab::start_machine(*lab, {.arguments = {"-plugin", "..."}}, cancel);   // well under a
//   second auto reply = machine->call("run_cell", request, cancel, 10min, {}, on_event);
//   machine->quit(cancel);
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "hap/result.h"
#include "lab/cache.h"
#include "lab/checkpoint.h"
#include "lab/kernel.h"
#include "lab/machine.h"
#include "lab/spec.h"
#include "lab/userland.h"

namespace hap::lab {

// A lab ready for use. While it lives, nothing of it is removed from the cache.
struct Lab {
  LabSpec spec;
  CacheEntry userland;
  CacheEntry kernel;
  CacheEntry checkpoint;
  std::optional<CacheEntry> hypervisor;  // of a machine that has one (lab/hypervisor.h)

  // Facts that the agent gathered: release, build_id, cmdline, cpu_flags, vulnerabilities, clocksource,
  // modules[{name, size, address, build_id, sections{name: address}}].
  Result<nlohmann::json> kernel_facts() const;
};

// Builds what is missing. `again` builds everything anew, from what the mirrors have now.
Result<Lab> build_lab(const LabSpec& spec, bool again, Progress& progress, const CancelToken& cancel);

// The lab that was built before. A missing image or kernel is an Error of kind `unsupported` whose hint is
// the command to run; a checkpoint is taken anew when hap's agent or QEMU changed (some seconds).
Result<Lab> open_lab(const LabSpec& spec, Progress& progress, const CancelToken& cancel);

// Whether everything but the checkpoint was built: the Error is that of open_lab. Starts nothing.
Status check_built(const LabSpec& spec);

// 64 random bytes: what a start differs in from every other start of the same checkpoint.
using Seed = std::array<unsigned char, 64>;
Result<Seed> random_seed();

struct StartOptions {
  std::vector<std::string> arguments;  // of QEMU: plugins
  std::vector<int> keep_fds;
  std::optional<Seed> seed;  // nothing: random_seed()
  bool console_on_terminal = false;
};

// A machine restored from the checkpoint, running and reseeded. Virtual time goes on where it was frozen.
Result<Machine> start_machine(const Lab& lab, const StartOptions& options, const CancelToken& cancel);

// One file of the userland (path in the guest), by e2fsprogs' debugfs: no mount, no machine. Symbolic links
// are followed within the image.
Status extract_guest_file(const CacheEntry& userland, const std::string& guest_path, const std::string& to,
                          const CancelToken& cancel);

}  // namespace hap::lab
