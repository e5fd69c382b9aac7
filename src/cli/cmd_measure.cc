// hap measure: one cell (sandbox x workload) in the lab machine, one recording.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/derived_seccomp.h"
#include "cli/measure_cell.h"
#include "cli/recording_summary.h"
#include "cli/serve_length.h"
#include "cli/terminal.h"
#include "sandbox/catalogue.h"
#include "workload/catalogue.h"
#include "workload/description.h"
#include "workload/workload.h"
#include "workload/workload_file.h"

namespace hap::cli {
namespace {

struct Options {
  std::string sandbox;
  std::string workload;
  std::string profile = "published";
  std::string collector = "emulator";
  std::string runtime;
  std::string seccomp_profile;
  std::string clock = "auto";
  std::string output;
  std::string suite = "trixie";
  std::string kernel = "cloud";
  int processors = 1;
  std::string cpu = lab::LabSpec().cpu;
  std::string caches = "warm";
  int repeats = 1;
  int repeat_number = 1;
  std::string label;
  int boot = 1;
  LengthOptions length;
  bool no_vhost = false;
};

bool wants_derived_profile(const Options& options) {
  return options.sandbox == "docker-seccomp" && options.seccomp_profile.empty();
}

// Wrong names are the user's mistake and told before anything is started.
Status check_names(const Options& options) {
  sandbox::Options sandbox_options;
  sandbox_options.runtime = options.runtime;
  sandbox_options.seccomp_profile = options.seccomp_profile;  // the name stands for the content here
  if (wants_derived_profile(options)) sandbox_options.seccomp_profile = derived_seccomp_origin;
  sandbox_options.vhost = !options.no_vhost;
  if (const auto made = sandbox::make_sandbox(options.sandbox, sandbox_options); !made) return made.error();
  if (workload::names_workload_file(options.workload)) return {};
  if (const auto made = workload::make_workload(options.workload); !made) return made.error();
  return {};
}

std::string output_name(const Options& options, int repeat) {
  const std::filesystem::path path =
      options.output.empty()
          ? fmt::format("{}.{}.hap", options.sandbox, std::filesystem::path(options.workload).stem().string())
          : options.output;
  if (options.repeats == 1) return path;
  return path.parent_path() /
         fmt::format("{}.r{}{}", path.stem().string(), repeat, path.extension().string());
}

Result<sandbox::Service> service_of(const CellRequest& request) {
  if (request.workload.is_object()) {
    HAP_TRY(described, workload::parse_description(request.workload));
    return described.service;
  }
  HAP_TRY(named, workload::make_workload(request.workload_name));
  return named->service();
}

Status set_length(const Options& options, CellRequest& request) {
  HAP_TRY(service, service_of(request));
  HAP_TRY(length, plan_length(options.length, options.profile, service.slowest_timer_s));
  if (length.requests) request.options["requests"] = *length.requests;
  if (length.windows) request.options["windows"] = *length.windows;
  if (length.interval_ms) request.options["interval_ms"] = *length.interval_ms;
  if (length.until_steady) request.options["until_told"] = true;
  request.length = length;
  return {};
}

// Time that follows instructions costs nothing while the machine is idle, which is most of a paced load; but
// a guest of the emulated machine crawls under it.
bool follows_instructions(const Options& options) {
  if (options.clock != "auto") return options.clock == "instructions";
  const auto* entry = sandbox::find_entry(options.sandbox);
  return until_steady(options.length, options.profile) && entry != nullptr && !sandbox::runs_a_guest(*entry);
}

Result<CellRequest> request_of(const Options& options) {
  CellRequest request;
  request.machine.suite = options.suite;
  request.machine.kernel = options.kernel;
  request.machine.processors = options.processors;
  request.machine.cpu = options.cpu;
  if (follows_instructions(options)) request.machine.icount = "shift=2,sleep=off";
  // Every boot is a checkpoint of its own; the kernel ignores a parameter it does not know.
  if (options.boot > 1) request.machine.kernel_parameters = fmt::format("hap.boot={}", options.boot);
  request.sandbox = options.sandbox;
  request.workload = options.workload;
  request.workload_name = options.workload;
  if (workload::names_workload_file(options.workload)) {
    HAP_TRY(described, workload::read_workload_file(options.workload));
    request.workload = described;
    request.workload_name = described.value("name", options.workload);
  }
  request.profile = options.profile;
  if (!options.runtime.empty()) request.options["runtime"] = options.runtime;
  if (!options.seccomp_profile.empty()) {
    HAP_TRY(text, read_file(options.seccomp_profile, 1 << 20));
    request.options["seccomp_profile"] = text;
  }
  if (options.no_vhost) request.options["vhost"] = false;
  if (options.caches == "cold") request.options["cold_caches"] = true;
  HAP_CHECK(set_length(options, request));
  request.boot = options.boot;
  return request;
}

// Seconds that it took.
double summarized(const std::string& recording, Progress& progress) {
  const auto started = std::chrono::steady_clock::now();
  progress.step("summing the recording up for `hap compare`");
  if (const auto attached = attach_summary(recording); !attached) {
    progress.note("`hap compare` will have to analyse the recording: " + attached.error().to_string());
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

Result<int> measure(const Options& options, const Session& session) {
  HAP_CHECK(check_names(options));
  HAP_TRY(request, request_of(options));
  request.command = session.command_line;
  const auto progress = session.progress();
  if (wants_derived_profile(options)) {
    HAP_TRY(profile, derived_seccomp_profile(request, *progress, session.cancel));
    request.options["seccomp_profile"] = profile;
    request.options["seccomp_origin"] = derived_seccomp_origin;
  }
  for (int i = 0; i < options.repeats; ++i) {
    request.repeat = options.repeat_number + i;
    request.label = options.label;
    request.output = output_name(options, request.repeat);
    HAP_TRY(outcome, measure_cell(request, *progress, session.cancel));
    outcome.total_seconds += summarized(request.output, *progress);
    progress->done();
    const std::string served = request.workload_name == workload::kIdle
                                   ? "left idle"
                                   : fmt::format("{} requests served and verified", outcome.requests);
    HAP_CHECK(print(fmt::format("{}: {}, ready after {:.1f} s, {:.1f} s in all\n", request.output, served,
                                outcome.ready_seconds, outcome.total_seconds)));
  }
  return exit_done;
}

}  // namespace

void add_measure(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("measure", "Measure one cell (sandbox x workload) in the lab machine");
  auto* what = "What to measure";
  command->add_option("-s,--sandbox", options->sandbox, "Isolation technology; see `hap list sandboxes`")
      ->required()
      ->group(what);
  command
      ->add_option("-w,--workload", options->workload,
                   "Service and load: a name of `hap list workloads`, or a TOML file")
      ->required()
      ->group(what);
  command
      ->add_option("--profile", options->profile,
                   "published: as the published figures; fast: 50 requests in two seconds")
      ->check(CLI::IsMember({"published", "fast"}))
      ->capture_default_str()
      ->group(what);
  command->add_option("--repeat", options->repeats, "Number of recordings, F.r1.hap, F.r2.hap, ...")
      ->check(CLI::Range(1, 1000))
      ->group(what);
  command->add_option("-o,--output", options->output, "Recording to write (default: SANDBOX.WORKLOAD.hap)")
      ->type_name("F.hap")
      ->group(what);

  auto* how = "How to measure";
  command->add_option("--collector", options->collector, "Source of hits")
      ->check(CLI::IsMember({"emulator"}))
      ->capture_default_str()
      ->group(how);
  command
      ->add_option(
          "--clock", options->clock,
          "What drives the machine's time; auto: instructions with --until steady, unless the sandbox "
          "is a virtual machine (docs/validity.md)")
      ->check(CLI::IsMember({"auto", "wall", "instructions"}))
      ->capture_default_str()
      ->group(how);
  command->add_option("--runtime", options->runtime, "OCI runtime by name or path, for container sandboxes")
      ->group(how);
  command
      ->add_option("--seccomp-profile", options->seccomp_profile,
                   "OCI seccomp profile, as `hap seccomp` writes it (docker-seccomp's default: measured in "
                   "docker-default)")
      ->type_name("FILE.json")
      ->group(how);
  command
      ->add_flag("--no-vhost", options->no_vhost, "Virtual machines: packets through the VMM, not vhost-net")
      ->group(how);
  add_length_options(*command, options->length);

  auto* machine = "The lab machine";
  command->add_option("--suite", options->suite, "Debian suite of the kernel")
      ->capture_default_str()
      ->group(machine);
  command->add_option("--kernel", options->kernel, "cloud, full, or a linux-image package")
      ->capture_default_str()
      ->group(machine);
  command->add_option("--cpus", options->processors, "Virtual processors")
      ->check(CLI::Range(1, 8))
      ->capture_default_str()
      ->group(machine);
  command->add_option("--cpu", options->cpu, "Processor model, as QEMU names it (docs/validity.md)")
      ->capture_default_str()
      ->group(machine);
  command
      ->add_option(
          "--caches", options->caches,
          "warm: the cell's programs were read before the checkpoint; cold: the page cache is dropped")
      ->check(CLI::IsMember({"warm", "cold"}))
      ->capture_default_str()
      ->group(machine);
  command->add_option("--boot", options->boot, "Which independently booted machine to start from")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->group(machine);
  command
      ->add_option("--label", options->label, "Name of this variant of the cell, kept apart in comparisons")
      ->group(what);
  command->add_option("--repeat-number", options->repeat_number, "Number of the first repeat")
      ->check(CLI::Range(1, 1000000))
      ->group(machine);
  command->footer(
      "Examples:\n"
      "  hap measure --sandbox docker-default --workload redis-set\n"
      "  hap measure -s kvm-qemu -w redis-set --profile fast -o kvm.hap && hap report kvm.hap\n"
      "  hap measure -s bare -w redis-set --repeat 5 -o bare.hap && hap compare bare.r*.hap\n\n"
      "The load runs outside the sandbox and is not counted. A sandbox that does not start and a load\n"
      "that is not served are errors: there is no recording then.");
  command->callback(
      [options, &session] { session.run = [options, &session] { return measure(*options, session); }; });
}

}  // namespace hap::cli
