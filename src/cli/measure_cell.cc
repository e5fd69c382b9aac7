#include "cli/measure_cell.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "base/file.h"
#include "base/paths.h"
#include "base/temp_dir.h"
#include "base/time_text.h"
#include "cli/steady_serve.h"
#include "cli/userland_images.h"
#include "collect/emulator/emulator_collector.h"
#include "hap/recording.h"
#include "hap/resolver.h"
#include "lab/hypervisor.h"
#include "sandbox/catalogue.h"
#include "workload/workload.h"

namespace hap::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A string from JSON that came out of the lab machine, where anything may be missing or of another type.
std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

int64_t number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<int64_t>() : 0;
}

// Everything of one cell between the start of its machine and the end of its recording.
class CellRun {
 public:
  CellRun(const CellRequest& request, Progress& progress, const CancelToken& cancel)
      : request_(request), progress_(progress), cancel_(cancel) {}

  Result<CellOutcome> run() {
    const auto started = Clock::now();
    progress_.step(fmt::format("{} in {}: opening the lab", request_.workload_name, request_.sandbox));
    HAP_TRY(lab, lab::open_lab(request_.machine, progress_, cancel_));
    HAP_TRY(dir, TempDir::create());
    HAP_TRY(writer, RecordingWriter::create(request_.output));
    HAP_TRY(hooks, collect::write_hooks(lab.checkpoint.file(lab::kKallsyms), lab.checkpoint.file(lab::kBtf),
                                        dir.file("hooks")));
    if (lab.hypervisor) {
      HAP_CHECK(collect::add_xen_hooks(lab.hypervisor->file(lab::kHypervisorMap),
                                       lab.checkpoint.file(lab::kKallsyms), dir.file("hooks")));
    }
    HAP_TRY(plugin, companion("libhap-emulator.so"));
    collect::EmulatorCollector collector(
        {plugin, dir.file("hooks"), dir.file("stream"), [&] { return import_options(lab); }});
    HAP_CHECK(collector.start({}, writer));
    HAP_CHECK(watch_for_steady_state(lab, dir.file("stream")));
    HAP_CHECK(run_machine(lab, collector.qemu_argument()));

    progress_.step(fmt::format("{} in {}: writing the recording", request_.workload_name, request_.sandbox));
    HAP_CHECK(write_identity(lab, writer));
    HAP_CHECK(write_conditions(lab, writer));
    HAP_CHECK(write_cell_facts(writer));
    for (const auto& name : hooks.absent_functions) {
      HAP_CHECK(writer.add(Loss{"absent_hook", 1, name}));
    }
    auto images = UserlandImages::open(lab, *cache_dir(), cancel_);
    userland_ = &images;
    HAP_TRY(stats, collector.stop());
    (void)stats;
    HAP_CHECK(images.save());
    HAP_CHECK(writer.finish());
    const json& times = cell_["times"];
    return CellOutcome{served(), times.value("ready_s", 0.0), seconds_since(started)};
  }

 private:
  Status watch_for_steady_state(const lab::Lab& lab, const std::string& stream) {
    if (!request_.length.until_steady) return {};
    HAP_TRY(text, read_file(lab.checkpoint.file(lab::kKallsyms)));
    HAP_TRY(symbols, collect::Kallsyms::parse(text));
    steady_.emplace(std::move(symbols), stream, *request_.length.until_steady, request_.length.continue_to);
    return {};
  }

  // The agent asks after each window whether to go on.
  Status answer(lab::Machine& machine, const lab::Message& event) {
    if (!steady_ || text_of(event.body, "event") != "window") return {};
    HAP_TRY(go_on, steady_->window_ended(static_cast<uint64_t>(number_of(event.body, "number")), progress_));
    return machine.guest().tell(go_on ? "continue" : "stop", cancel_);
  }

  Status run_machine(const lab::Lab& lab, const std::string& plugin_argument) {
    progress_.step(fmt::format("{} in {}: measuring", request_.workload_name, request_.sandbox));
    lab::StartOptions options;
    options.arguments = {"-plugin", plugin_argument};
    HAP_TRY(machine, lab::start_machine(lab, options, cancel_));
    HAP_TRY(workload, workload_for(machine));
    const json cell = {{"sandbox", request_.sandbox},
                       {"workload", workload},
                       {"profile", request_.profile},
                       {"options", request_.options}};
    HAP_TRY(reply, machine.call("run_cell", cell, cancel_, 2h, {},
                                [&](const lab::Message& event) { return answer(machine, event); }));
    cell_ = reply.body;
    // Modules that were loaded on demand are known only now.
    HAP_TRY(kernel, machine.call("kernel", json::object(), cancel_, 2min));
    kernel_ = kernel.body;
    HAP_TRY(symbols, machine.call("read_file", {{"path", "/proc/kallsyms"}}, cancel_, 2min));
    kallsyms_ = symbols.blob;
    return machine.quit(cancel_);
  }

  // The workload as the agent takes it: the root archive of a user's own goes into the machine first.
  Result<json> workload_for(lab::Machine& machine) const {
    json workload = request_.workload;
    if (!workload.is_object() || text_of(workload, "root_archive").empty()) return workload;
    HAP_TRY(archive, read_file(text_of(workload, "root_archive"), lab::kMaxBlobBytes));
    constexpr const char* place = "/run/hap-workload-root";
    HAP_TRY(written, machine.call("write_file", {{"path", place}, {"mode", 0600}}, cancel_, 5min, archive));
    (void)written;
    workload["root_archive"] = place;
    return workload;
  }

  Result<collect::ImportOptions> import_options(const lab::Lab& lab) {
    collect::ImportOptions options;
    HAP_TRY(kernel, collect::KernelMap::build(kernel_.dump(), kallsyms_));
    options.kernel = std::move(kernel);
    std::string hypervisor_id;
    if (lab.hypervisor) {
      HAP_TRY(map, read_file(lab.hypervisor->file(lab::kHypervisorMap)));
      HAP_TRY(text, collect::xen_text(map));
      options.hypervisor = text;
      HAP_TRY(id, read_build_id(lab.hypervisor->file(lab::kHypervisorSymbols)));
      hypervisor_id = id;
    }
    options.build_id = [this, hypervisor_id](const Image& image) {
      if (image.kind == ImageKind::hypervisor) return hypervisor_id;
      // Nested guests of the lab boot the lab's own kernel, without address randomisation.
      if (image.kind == ImageKind::kernel) return text_of(kernel_, "build_id");
      return userland_->build_id(image.path);
    };
    for (const auto& window : cell_["windows"]) {
      windows_[static_cast<uint64_t>(number_of(window, "id"))] = window;
    }
    options.complete_window = [this](Window& window, uint64_t number) {
      const auto found = windows_.find(number);
      if (found == windows_.end()) return;
      window.start_ns = number_of(found->second, "start_ns");
      window.end_ns = number_of(found->second, "end_ns");
      window.requests = static_cast<uint64_t>(number_of(found->second, "requests"));
    };
    return options;
  }

  // The idle machine serves nobody: its windows are merely as long as those of a load.
  uint64_t served() const {
    if (request_.workload_name == workload::kIdle) return 0;
    return static_cast<uint64_t>(number_of(cell_.at("served"), "requests"));
  }

  Status write_identity(const lab::Lab& lab, RecordingWriter& writer) const {
    struct utsname host {};
    ::uname(&host);
    std::map<std::string, std::string> meta = {
        {"tool_version", HAP_VERSION},
        {"created", utc_timestamp()},
        {"sandbox", request_.sandbox},
        {"workload", request_.workload_name},
        {"profile", request_.profile},
        {"collector", "emulator"},
        {"granularity", "block"},
        {"command", request_.command},
        {"kernel_release", text_of(kernel_, "release")},
        {"kernel_build_id", text_of(kernel_, "build_id")},
        {"machine", fmt::format("lab machine on {} {}", host.sysname, host.machine)},
        {"requests", std::to_string(served())},
        {"requests_failed", std::to_string(number_of(cell_["served"], "failed"))},
        {"boot", std::filesystem::path(lab.checkpoint.path).filename().string()},
        {"repeat", std::to_string(request_.repeat)},
    };
    if (!request_.label.empty()) meta["label"] = request_.label;
    if (steady_) {
      const auto facts = steady_->facts();
      meta.insert(facts.begin(), facts.end());
    } else {
      meta["until"] = "requests";
    }
    if (const auto found = cell_.find("meta"); found != cell_.end()) {
      for (const auto& [key, value] : found->items()) {
        meta[key] = value.is_string() ? value.get<std::string>() : value.dump();
      }
    }
    for (const auto& [key, value] : meta) HAP_CHECK(writer.set_meta(key, value));
    return {};
  }

  Status write_conditions(const lab::Lab& lab, RecordingWriter& writer) const {
    HAP_TRY(qemu, lab::find_qemu());
    std::map<std::string, std::string> conditions = {
        {"machine", "emulated (QEMU TCG)"},
        {"emulator", fmt::format("QEMU {}", qemu.text)},
        {"clock", lab.spec.icount.empty() ? "wall" : "instructions (icount " + lab.spec.icount + ")"},
        {"processors", std::to_string(lab.spec.processors)},
        {"memory_mib", std::to_string(lab.spec.memory_mib)},
        {"page_cache", request_.options.value("cold_caches", false)
                           ? "cold (dropped before the sandbox was started)"
                           : "warm (programs of the cell read before the checkpoint)"},
        {"processor_model", lab.spec.cpu},
    };
    std::string options;
    for (const auto& argument : lab::machine_identity(lab.spec))
      options += (options.empty() ? "" : " ") + argument;
    conditions["emulator_options"] = options;
    for (const char* key : {"cpu_flags", "vulnerabilities", "clocksource", "cmdline"}) {
      conditions[key] = text_of(kernel_, key);
    }
    if (const auto found = kernel_.find("conditions"); found != kernel_.end() && found->is_object()) {
      for (const auto& [key, value] : found->items())
        conditions[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    for (const auto& [key, value] : conditions) {
      if (!value.empty()) HAP_CHECK(writer.set_condition(key, value));
    }
    return {};
  }

  Status write_cell_facts(RecordingWriter& writer) const {
    for (const auto& rule : cell_["scope"]) {
      HAP_CHECK(writer.add(ScopeRule{text_of(rule, "kind"), text_of(rule, "value"), text_of(rule, "role")}));
    }
    for (const auto& filter : cell_.value("seccomp_filters", json::array())) {
      SeccompFilter fact;
      fact.pid = static_cast<int32_t>(number_of(filter, "pid"));
      fact.role = text_of(filter, "role");
      fact.position = static_cast<uint32_t>(number_of(filter, "position"));
      const std::string hex = text_of(filter, "program_hex");
      for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        fact.program += static_cast<char>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16));
      }
      HAP_CHECK(writer.add(fact));
    }
    return {};
  }

  const CellRequest& request_;
  Progress& progress_;
  const CancelToken& cancel_;
  json cell_;    // the agent's answer to run_cell
  json kernel_;  // and to kernel
  std::string kallsyms_;
  std::map<uint64_t, json> windows_;
  UserlandImages* userland_ = nullptr;
  std::optional<SteadyServe> steady_;  // set when it decides how long to serve
};

}  // namespace

Result<CellOutcome> measure_cell(const CellRequest& request, Progress& progress, const CancelToken& cancel) {
  try {
    CellRequest settled = request;
    if (const auto* entry = sandbox::find_entry(request.sandbox)) {
      settled.machine = lab::on_hypervisor(request.machine, entry->hypervisor);
    }
    return CellRun(settled, progress, cancel).run();
  } catch (const json::exception& error) {
    return Error(std::string("the lab machine's answer is malformed: ") + error.what(), ErrorKind::corrupt);
  }
}

}  // namespace hap::cli
