// hap record: a process, cgroup, container or command of this machine, live.
#include <fmt/format.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "cli/commands.h"
#include "cli/recording_summary.h"
#include "cli/terminal.h"
#include "collect/ftrace/instance.h"
#include "collect/traceable.h"
#include "live/collectors.h"
#include "live/recorder.h"

namespace hap::cli {
namespace {

using std::chrono::milliseconds;

// Arming is paid by the window, so windows are long; but a recording of a known length has several of them.
double default_window(double duration) {
  constexpr double usual = 60;
  constexpr double windows_at_least = 5;
  return duration > 0 ? std::clamp(duration / windows_at_least, 0.1, usual) : usual;
}

struct Options {
  std::string collector = "auto";
  std::string pid;
  std::string cgroup;
  std::string container;
  std::vector<std::string> command;
  std::string output;
  double duration = 0;
  double window = 0;  // 0: default_window()
  std::string sandbox;
  std::string workload;
  std::string label;
  bool keep_privileges = false;
};

// Which of the four ways to name a scope was used: exactly one.
Result<live::ScopeRequest> request_of(const Options& options) {
  using Kind = live::ScopeRequest::Kind;
  std::vector<live::ScopeRequest> requests;
  if (!options.pid.empty()) requests.push_back({Kind::process, options.pid, 0});
  if (!options.cgroup.empty()) requests.push_back({Kind::cgroup, options.cgroup, 0});
  if (!options.container.empty()) requests.push_back({Kind::container, options.container, 0});
  if (!options.command.empty()) requests.push_back({Kind::command, options.command[0], 0});
  if (requests.size() == 1) return requests.front();
  return Error(requests.empty() ? "nothing to record" : "more than one scope to record", ErrorKind::usage)
      .hint("give one of --pid, --cgroup, --container or a command after --");
}

milliseconds from_seconds(double seconds) {
  return milliseconds(static_cast<int64_t>(seconds * 1000));
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

class LiveRun {
 public:
  LiveRun(const Options& options, const Session& session)
      : options_(options), session_(session), progress_(session.progress()) {}

  Result<int> run() {
    HAP_TRY(request, request_of(options_));
    clean_up_after_others();
    HAP_TRY(choice, live::choose_collector(options_.collector));
    progress_->note(choice.why);
    if (request.kind != live::ScopeRequest::Kind::command) return record(request, *choice.collector, nullptr);
    HAP_TRY(command, live::HeldCommand::start(options_.command));
    request.pid = command.pid();
    return record(request, *choice.collector, &command);
  }

 private:
  void clean_up_after_others() {
    const auto tracefs = collect::find_tracefs();
    const size_t removed = tracefs ? collect::remove_stale_instances(*tracefs) : 0;
    if (removed > 0) {
      progress_->note(fmt::format("removed {} tracing instances that a killed hap left behind", removed));
    }
  }

  Result<int> record(const live::ScopeRequest& request, collect::LiveCollector& collector,
                     live::HeldCommand* command) {
    HAP_TRY(scope, live::ScopeFinder::find(request));
    const std::string title =
        command == nullptr ? scope.title() : std::filesystem::path(options_.command[0]).filename().string();
    live::RecordPlan plan;
    plan.window = from_seconds(options_.window > 0 ? options_.window : default_window(options_.duration));
    if (options_.duration > 0) plan.duration = from_seconds(options_.duration);
    plan.output = options_.output.empty() ? title + ".hap" : options_.output;
    plan.drop_privileges = !options_.keep_privileges;
    plan.meta = identity(scope.kind(), title);
    plan.on_recording = [&] { progress_->note(fmt::format("recording {} {}", scope.kind(), title)); };
    plan.on_window = [&](uint32_t window, const collect::WindowSight& sight, uint64_t functions) {
      progress_->note(fmt::format("window {}: {} functions so far, {} entries read, {} lost", window,
                                  functions, sight.events, sight.events_lost));
    };
    progress_->step(fmt::format("attaching to {} {}", scope.kind(), title));
    HAP_TRY(outcome, live::record(plan, scope, collector, command, session_.cancel));
    if (const auto attached = attach_summary(plan.output); !attached) {
      progress_->note("`hap compare` will have to analyse the recording: " + attached.error().to_string());
    }
    progress_->done();
    if (outcome.command_status) {
      progress_->note(fmt::format("{} {}", title, how_it_ended(*outcome.command_status)));
    }
    HAP_CHECK(print(fmt::format("{}: {} functions in {} windows of {:.1f} s in all, {} events lost\n",
                                plan.output, outcome.functions, outcome.windows, outcome.seconds,
                                outcome.events_lost + outcome.missed_task)));
    return exit_done;
  }

  std::map<std::string, std::string> identity(const std::string& kind, const std::string& title) const {
    struct utsname host {};
    ::uname(&host);
    std::map<std::string, std::string> meta = {
        {"tool_version", HAP_VERSION},
        {"sandbox", options_.sandbox.empty() ? kind : options_.sandbox},
        {"workload", options_.workload.empty() ? title : options_.workload},
        {"profile", "live"},
        {"command", session_.command_line},
        {"machine", fmt::format("{} {}, live", host.sysname, host.machine)}};
    if (!options_.label.empty()) meta["label"] = options_.label;
    return meta;
  }

  const Options& options_;
  const Session& session_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace

void add_record(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("record", "Measure a process, container, cgroup or command of this machine");
  auto* what = "What to record (one of these)";
  command->add_option("-p,--pid", options->pid, "A process with its descendants")
      ->type_name("PID")
      ->group(what);
  command->add_option("--cgroup", options->cgroup, "A cgroup: folder, path, or unit name (redis.service)")
      ->type_name("GROUP")
      ->group(what);
  command
      ->add_option("--container", options->container,
                   "A container of Docker, podman, containerd or CRI-O by id, its beginning, or name")
      ->type_name("ID")
      ->group(what);
  command
      ->add_option("command", options->command, "Command and arguments, after --; watched from its start on")
      ->group(what);
  auto* how = "How to record";
  command
      ->add_option("--collector", options->collector,
                   "auto takes the best that works here, and says which and why; see `hap list collectors`")
      ->capture_default_str()
      ->type_name("NAME")
      ->group(how);
  command->add_option("--duration", options->duration, "Seconds to record (default: until Ctrl-C or the end)")
      ->check(CLI::PositiveNumber)
      ->type_name("SECONDS")
      ->group(how);
  command
      ->add_option("--window", options->window,
                   "Seconds of a window, the unit of completeness statistics (default: 60, or a fifth of "
                   "--duration when that is shorter)")
      ->check(CLI::Range(0.1, 86400.0))
      ->type_name("SECONDS")
      ->group(how);
  command
      ->add_flag("--keep-privileges", options->keep_privileges,
                 "Do not give up the capabilities that are not needed once everything is attached")
      ->group(how);
  command->add_option("-o,--output", options->output, "Recording to write (default: named after the scope)")
      ->type_name("F.hap")
      ->group(how);
  auto* names = "Names in reports";
  command->add_option("--sandbox", options->sandbox, "Isolation technology, as comparisons should name it")
      ->group(names);
  command->add_option("--workload", options->workload, "Service, as comparisons should name it")
      ->group(names);
  command->add_option("--label", options->label, "Name of this variant, kept apart in comparisons")
      ->group(names);
  command->footer(
      "Examples:\n"
      "  hap record --duration 60 --pid $(pidof redis-server) -o redis.hap && hap report redis.hap\n"
      "  hap record --container web -o web.hap           until Ctrl-C\n"
      "  hap record --cgroup redis.service --duration 300 --window 30\n"
      "  hap record -o ls.hap -- ls -l /\n\n"
      "Needs rights to trace (docs/live.md); `hap doctor` says what works here. Stopped by Ctrl-C, by\n"
      "--duration, or when the scope has ended; the recording is complete in all these cases.");
  command->callback([options, &session] {
    session.run = [options, &session] { return LiveRun(*options, session).run(); };
  });
}

}  // namespace hap::cli
