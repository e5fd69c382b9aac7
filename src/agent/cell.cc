#include "agent/cell.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "agent/cell_report.h"
#include "agent/guest_service.h"
#include "agent/mark.h"
#include "sandbox/catalogue.h"
#include "sandbox/cgroup.h"
#include "sandbox/command.h"
#include "sandbox/root_archive.h"
#include "sandbox/rootfs.h"
#include "workload/catalogue.h"
#include "workload/description.h"
#include "workload/load.h"

namespace hap::agent {
namespace {

using nlohmann::json;
using workload::monotonic_ns;

struct CellRequest {
  std::string sandbox;
  std::string workload;
  std::optional<workload::Description> description;  // set for a workload of the user's own
  sandbox::Options options;
  workload::LoadPlan plan;
  bool cold_caches = false;  // the page cache is dropped before the recording begins
  bool until_told = false;   // the host says after each window whether to go on; `plan` is the most
};

Result<CellRequest> parse_request(const json& request) {
  CellRequest cell;
  cell.sandbox = request.at("sandbox").get<std::string>();
  if (const json& named = request.at("workload"); named.is_object()) {
    HAP_TRY(description, workload::parse_description(named));
    cell.workload = description.service.name;
    cell.description = std::move(description);
  } else {
    cell.workload = named.get<std::string>();
  }
  HAP_TRY(plan, workload::load_profile(request.value("profile", "published")));
  cell.plan = plan;
  const json options = request.value("options", json::object());
  cell.options.runtime = options.value("runtime", "");
  cell.options.vhost = options.value("vhost", true);
  cell.options.seccomp_profile = options.value("seccomp_profile", "");
  cell.options.seccomp_origin = options.value("seccomp_origin", "");
  cell.plan.requests = options.value("requests", cell.plan.requests);
  cell.plan.windows = options.value("windows", cell.plan.windows);
  cell.plan.warm_up = options.value("warm_up", cell.plan.warm_up);
  cell.plan.interval = std::chrono::milliseconds(options.value("interval_ms", cell.plan.interval.count()));
  HAP_CHECK(workload::check_plan(cell.plan));
  cell.cold_caches = options.value("cold_caches", false);
  cell.until_told = options.value("until_told", false);
  return cell;
}

// Marks that always pair: whatever way a cell ends, its recording and its phase end too.
class MarkedRecording {
 public:
  MarkedRecording() { mark(Mark::begin_recording); }
  ~MarkedRecording() { mark(Mark::end_recording); }
  MarkedRecording(const MarkedRecording&) = delete;
  MarkedRecording& operator=(const MarkedRecording&) = delete;
};

class MarkedPhase {
 public:
  MarkedPhase(Phase phase, Channel& channel) : phase_(phase), channel_(channel) {
    (void)channel_.emit("phase", {{"name", to_text(phase_)}, {"state", "begin"}});
    start_ns_ = monotonic_ns();
    mark(Mark::phase_begin, static_cast<uint64_t>(phase_));
  }
  ~MarkedPhase() {
    mark(Mark::phase_end, static_cast<uint64_t>(phase_));
    (void)channel_.emit(
        "phase",
        {{"name", to_text(phase_)}, {"state", "end"}, {"start_ns", start_ns_}, {"end_ns", monotonic_ns()}});
  }
  MarkedPhase(const MarkedPhase&) = delete;
  MarkedPhase& operator=(const MarkedPhase&) = delete;
  int64_t start_ns() const { return start_ns_; }

 private:
  Phase phase_;
  Channel& channel_;
  int64_t start_ns_ = 0;
};

class Cell {
 public:
  Cell(CellRequest request, Channel& channel) : request_(std::move(request)), channel_(channel) {}

  Result<json> run() {
    HAP_CHECK(prepare());
    Status done;
    {
      MarkedRecording recording;
      done = set_up();
      if (done) done = serve();
      if (done) done = check_after_load();
      Status ended = tear_down();
      if (done) done = ended;
    }
    if (!done) return done.error();
    return report();
  }

 private:
  Status prepare() {
    HAP_TRY(made, sandbox::make_sandbox(request_.sandbox, request_.options));
    sandbox_ = std::move(made);
    HAP_CHECK(prepare_service());
    for (const auto& missing : sandbox::unmet_requirements(*sandbox::find_entry(request_.sandbox))) {
      return Error("the sandbox " + request_.sandbox + " needs " + missing.what + ", " + missing.why,
                   ErrorKind::unsupported)
          .hint(missing.package.empty() ? "" : "install the package " + missing.package);
    }
    if (request_.cold_caches) HAP_CHECK(drop_caches());
    // This process is the load generator.
    HAP_TRY(load, sandbox::Cgroup::create(sandbox::load_cgroup));
    HAP_CHECK(load.adopt(0));
    return sandbox::Cgroup::create(sandbox::daemon_cgroup).ok()
               ? Status()
               : Status(Error("cannot make the cgroup of host daemons", ErrorKind::sandbox));
  }

  static Status drop_caches() {
    ::sync();
    std::ofstream file("/proc/sys/vm/drop_caches");
    if (!(file << "3\n" << std::flush)) return Error("cannot drop the page cache");
    return {};
  }

  Status prepare_service() {
    if (!request_.description) {
      HAP_TRY(work, workload::make_workload(request_.workload));
      workload_ = std::move(work);
      service_ = workload_->service();
      return {};
    }
    workload_ = workload::make_described(*request_.description);
    service_ = workload_->service();
    if (request_.description->root_archive.empty()) return {};
    // Fetching and unpacking an image is not part of running it, so it comes before the recording.
    service_.root = std::string(sandbox::state_folder) + "/service-root";
    return sandbox::unpack_root(request_.description->root_archive, service_.root);
  }

  Status set_up() {
    MarkedPhase phase(Phase::setup, channel_);
    next_window(Phase::setup);
    auto instance = sandbox_->start(service_);
    if (!instance) {
      const auto kind =
          instance.error().kind() == ErrorKind::unsupported ? ErrorKind::unsupported : ErrorKind::sandbox;
      return with_last_words(
          Error(instance.error()).of_kind(kind).context("starting the sandbox " + request_.sandbox));
    }
    instance_ = std::move(*instance);
    started_ns_ = monotonic_ns();
    endpoint_ = {instance_->address, instance_->port};
    if (auto ready =
            workload::wait_until_ready(*workload_, endpoint_, request_.plan, [&] { return alive(); });
        !ready) {
      return with_last_words(ready.error());
    }
    ready_ns_ = monotonic_ns();
    client_ = workload_->client(endpoint_, request_.plan.request_timeout);
    Status warm = client_->begin_window();
    // At the pace of what follows: after a burst the kernel is still busy with its leftovers (freed memory
    // that waits for RCU, say) in the first windows.
    for (uint64_t n = 0; warm && n < request_.plan.warm_up; ++n) {
      warm = client_->request(n);
      std::this_thread::sleep_for(request_.plan.interval);
    }
    windows_.back().end_ns = monotonic_ns();
    if (!warm) return with_last_words(warm.error().context("warming up"));
    return {};
  }

  // When the host decides how long to serve, each window is a stretch of the phase of its own, and nothing is
  // recorded while the host thinks.
  Status serve() {
    std::optional<MarkedPhase> phase;
    workload::WindowEvents events;
    events.begins = [&](uint32_t) {
      if (!phase) phase.emplace(Phase::serve, channel_);
      next_window(Phase::serve);
    };
    if (request_.until_told) {
      events.ended = [&](uint32_t) {
        phase.reset();
        return ask_whether_to_go_on();
      };
    }
    auto load = workload::offer_load(*client_, request_.plan, events);
    phase.reset();
    if (!load) return load.error();
    load_ = std::move(*load);
    for (size_t i = 0; i < load_.windows.size(); ++i) {
      Window& window = windows_[windows_.size() - load_.windows.size() + i];
      window.start_ns = load_.windows[i].start_ns;
      window.end_ns = load_.windows[i].end_ns;
      window.requests = load_.windows[i].verified;
    }
    return {};
  }

  Result<bool> ask_whether_to_go_on() {
    HAP_CHECK(channel_.emit("window", {{"number", windows_.back().id}}));
    HAP_TRY(answer, channel_.next());
    const std::string told = answer.body.value("tell", "");
    if (told != "continue" && told != "stop") return Error("the host did not say whether to go on");
    return told == "continue";
  }

  // Nothing that was not served may become a low score.
  Status check_after_load() {
    if (load_.failed > 0) {
      return with_last_words(Error(std::to_string(load_.failed) + " of " +
                                       std::to_string(load_.failed + load_.verified) +
                                       " requests were not served: " + load_.first_failure,
                                   ErrorKind::workload));
    }
    uint64_t random = 0;
    (void)::getrandom(&random, sizeof random, 0);
    if (auto proof = client_->prove(random); !proof) return with_last_words(proof.error());
    client_.reset();
    late_scope_ = sandbox_->late_scope();
    tasks_ = tasks_of_scope(instance_->scope);
    if (auto there = check_expected_tasks(tasks_, instance_->expected_tasks); !there) return there.error();
    filters_ = filters_of_scope(tasks_, instance_->scope);
    auto mappings = sandbox_->guest_mappings();
    if (!mappings) return mappings.error().context("asking the guest for its mappings");
    guest_mappings_ = std::move(*mappings);
    return {};
  }

  Status tear_down() {
    MarkedPhase phase(Phase::teardown, channel_);
    next_window(Phase::teardown);
    client_.reset();
    Status stopped = sandbox_->stop();
    windows_.back().end_ns = monotonic_ns();
    if (!stopped) return stopped.error().context("stopping the sandbox " + request_.sandbox);
    return {};
  }

  Status alive() const {
    if (instance_->processes.empty()) return {};
    for (const pid_t pid : instance_->processes) {
      if (!is_running(pid)) return Error("the service ended before it was ready", ErrorKind::workload);
    }
    return {};
  }

  Error with_last_words(const Error& error) const {
    const std::string words = sandbox_->last_words();
    if (words.empty()) return error;
    return Error(error.to_string() + "; the last it printed: " + words, error.kind()).hint(error.hint());
  }

  void next_window(Phase phase) {
    Window window;
    window.id = static_cast<uint32_t>(windows_.size() + 1);
    window.phase = phase;
    window.start_ns = monotonic_ns();
    windows_.push_back(window);
    mark(Mark::window, window.id);
  }

  json report() const {
    json result;
    result["sandbox"] = request_.sandbox;
    result["workload"] = request_.workload;
    result["served"] = {{"requests", load_.verified}, {"failed", load_.failed}};
    result["scope"] = json::array();
    std::vector<ScopeRule> rules = instance_->scope;
    rules.insert(rules.end(), late_scope_.begin(), late_scope_.end());
    rules.push_back({"cgroup", sandbox::load_cgroup, "load"});
    rules.push_back({"cgroup", sandbox::daemon_cgroup, "host-daemon"});
    for (const auto& rule : rules) {
      result["scope"].push_back({{"kind", rule.kind}, {"value", rule.value}, {"role", rule.role}});
    }
    result["windows"] = windows_to_json(windows_);
    result["tasks"] = tasks_to_json(tasks_);
    result["seccomp_filters"] = filters_.rows;
    result["guest_mappings"] = mappings_to_json(guest_mappings_);
    result["meta"] = instance_->facts;
    result["meta"]["unfiltered_processes"] = std::to_string(filters_.unfiltered);
    if (!workload_->version_command().empty()) {
      result["meta"]["workload_version"] = sandbox::first_line_of(workload_->version_command());
    }
    result["meta"]["address"] = instance_->address + ":" + std::to_string(instance_->port);
    const int64_t begin = windows_.front().start_ns;
    result["times"] = {{"start_s", (started_ns_ - begin) / 1e9},
                       {"ready_s", (ready_ns_ - begin) / 1e9},
                       {"total_s", (windows_.back().end_ns - begin) / 1e9}};
    return result;
  }

  CellRequest request_;
  Channel& channel_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<workload::Workload> workload_;
  sandbox::Service service_;
  std::optional<sandbox::Instance> instance_;
  workload::Endpoint endpoint_;
  std::unique_ptr<workload::Client> client_;
  workload::LoadResult load_;
  std::vector<Window> windows_;
  std::vector<ScopeRule> late_scope_;
  std::vector<TaskFact> tasks_;
  ScopeFilters filters_;
  std::vector<sandbox::GuestMapping> guest_mappings_;
  int64_t started_ns_ = 0;
  int64_t ready_ns_ = 0;
};

}  // namespace

void add_cell_operations(Dispatcher& dispatcher) {
  add_guest_operations(dispatcher);
  dispatcher.add("run_cell", [](const Call& call) -> Result<Reply> {
    HAP_TRY(request, parse_request(call.request));
    HAP_TRY(result, Cell(std::move(request), call.channel).run());
    return Reply{std::move(result), {}};
  });
  dispatcher.add("list_sandboxes", [](const Call&) -> Result<Reply> {
    json rows = json::array();
    for (const auto& entry : sandbox::catalogue()) {
      json missing = json::array();
      for (const auto& unmet : sandbox::unmet_requirements(entry)) missing.push_back(unmet.what);
      rows.push_back({{"name", entry.name}, {"unavailable", entry.unavailable}, {"missing", missing}});
    }
    return Reply{{{"sandboxes", rows}}, {}};
  });
}

}  // namespace hap::agent
