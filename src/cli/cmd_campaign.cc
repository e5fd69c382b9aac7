// hap campaign: a matrix of cells, each measured by its own `hap measure` process.
//
// A cell is done when its recording is there (recordings appear atomically), so resuming after kill -9 is
// running the same command again. A cell that fails leaves NAME.failed with the reason while others go on.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/subprocess.h"
#include "cli/campaign_plan.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace hap::cli {
namespace {
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string file;
  std::string out_dir;
  int parallel = 0;
  bool retry_failed = false;
  std::string format = "text";
};

struct RunningCell {
  const CampaignCell* cell;
  Subprocess process;
  Clock::time_point started;
};

struct Outcome {
  std::string state;  // measured | cached | failed | pending
  std::string reason;
  double seconds = 0;
};

fs::path recording_path(const Options& options, const CampaignCell& cell) {
  return fs::path(options.out_dir) / cell.file_name();
}

fs::path log_path(const Options& options, const CampaignCell& cell) {
  return recording_path(options, cell).replace_extension(".log");
}

fs::path failure_path(const Options& options, const CampaignCell& cell) {
  return recording_path(options, cell).replace_extension(".failed");
}

// The last error sentence that the measuring process wrote; what it wrote at the end when that is none, as
// for options that it does not know.
std::string failure_reason(const fs::path& log, int status) {
  std::ifstream stream(log);
  std::string sentence;
  std::string last;
  for (std::string line; std::getline(stream, line);) {
    if (const auto at = line.find("error: "); at != std::string::npos) sentence = line.substr(at + 7);
    if (!line.empty() && line.rfind("Run with --help", 0) != 0) last = line;
  }
  if (!sentence.empty()) return sentence;
  if (!last.empty() && WIFEXITED(status) && WEXITSTATUS(status) == exit_usage) return last;
  const std::string end = WIFEXITED(status) ? fmt::format("with status {}", WEXITSTATUS(status))
                                            : fmt::format("by signal {}", WTERMSIG(status));
  return fmt::format("it ended {} without saying why (see {})", end, log.string());
}

Result<RunningCell> start(const Options& options, const CampaignCell& cell) {
  SpawnOptions spawn;
  spawn.argv = {"/proc/self/exe",  "measure",
                "--sandbox",       cell.sandbox,
                "--workload",      cell.workload,
                "--profile",       cell.profile,
                "--boot",          std::to_string(cell.boot),
                "--repeat-number", std::to_string(cell.repeat),
                "--output",        recording_path(options, cell)};
  if (!cell.label.empty()) spawn.argv.insert(spawn.argv.end(), {"--label", cell.label});
  spawn.argv.insert(spawn.argv.end(), cell.options.begin(), cell.options.end());
  std::error_code code;
  spawn.argv[0] = fs::read_symlink("/proc/self/exe", code).string();
  const UniqueFd log(::open(log_path(options, cell).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!log.valid()) return Error::from_errno("cannot create", errno).at(log_path(options, cell));
  spawn.stderr_fd = log.get();
  spawn.stdout_fd = log.get();
  HAP_TRY(process, Subprocess::spawn(spawn));
  return RunningCell{&cell, std::move(process), Clock::now()};
}

nlohmann::json summary_json(const CampaignPlan& plan, const std::vector<Outcome>& outcomes) {
  auto cells = nlohmann::json::array();
  for (size_t i = 0; i < plan.cells.size(); ++i) {
    const auto& cell = plan.cells[i];
    nlohmann::json row = {{"sandbox", cell.sandbox},   {"workload", cell.workload},
                          {"profile", cell.profile},   {"boot", cell.boot},
                          {"repeat", cell.repeat},     {"file", cell.file_name()},
                          {"state", outcomes[i].state}};
    if (!cell.label.empty()) row["label"] = cell.label;
    if (!outcomes[i].reason.empty()) row["reason"] = outcomes[i].reason;
    if (outcomes[i].seconds > 0) row["seconds"] = outcomes[i].seconds;
    cells.push_back(std::move(row));
  }
  return {{"schema", "hapmeter.campaign/1"}, {"name", plan.name}, {"cells", std::move(cells)}};
}

std::string summary_text(const CampaignPlan& plan, const std::vector<Outcome>& outcomes) {
  size_t done = 0;
  std::string failures;
  for (size_t i = 0; i < plan.cells.size(); ++i) {
    if (outcomes[i].state == "measured" || outcomes[i].state == "cached") ++done;
    if (outcomes[i].state == "failed") {
      failures += fmt::format("  {:<40} {}\n", plan.cells[i].file_name(), outcomes[i].reason);
    }
  }
  std::string text =
      fmt::format("campaign {}: {} of {} cells measured\n", plan.name, done, plan.cells.size());
  if (!failures.empty()) text += "failed:\n" + failures;
  return text;
}

// Runs every cell that has no result yet, `parallel` at a time.
class Runner {
 public:
  Runner(const CampaignPlan& plan, const Options& options, const CancelToken& cancel, Progress& progress)
      : plan_(plan), options_(options), cancel_(cancel), progress_(progress), outcomes_(plan.cells.size()) {}

  Result<std::vector<Outcome>> run_all() {
    const size_t parallel = static_cast<size_t>(options_.parallel > 0 ? options_.parallel : plan_.parallel);
    progress_.step(fmt::format("measuring {} cells", plan_.cells.size()));
    size_t next = 0;
    while (next < plan_.cells.size() || !running_.empty()) {
      HAP_CHECK(cancel_.check());
      while (next < plan_.cells.size() && running_.size() < parallel) HAP_CHECK(begin(next++));
      HAP_CHECK(collect_ended());
      progress_.advance(finished_, plan_.cells.size());
    }
    progress_.done();
    return outcomes_;
  }

 private:
  Status begin(size_t index) {
    const auto& cell = plan_.cells[index];
    auto& outcome = outcomes_[index];
    std::error_code code;
    if (fs::exists(recording_path(options_, cell), code)) {
      outcome.state = "cached";
      ++finished_;
      return {};
    }
    if (!options_.retry_failed && fs::exists(failure_path(options_, cell), code)) {
      HAP_TRY(reason, read_file(failure_path(options_, cell)));
      outcome = {"failed", reason, 0};
      ++finished_;
      return {};
    }
    HAP_TRY(started, start(options_, cell));
    running_.push_back(std::move(started));
    return {};
  }

  Status collect_ended() {
    for (auto running = running_.begin(); running != running_.end();) {
      const auto slice = std::chrono::milliseconds(100 / static_cast<int>(running_.size()));
      HAP_TRY(status, running->process.wait_for(slice));
      if (!status) {
        ++running;
        continue;
      }
      HAP_CHECK(conclude(*running, *status));
      running = running_.erase(running);
      ++finished_;
    }
    return {};
  }

  Status conclude(const RunningCell& running, int status) {
    const auto index = static_cast<size_t>(running.cell - plan_.cells.data());
    auto& outcome = outcomes_[index];
    outcome.seconds = std::chrono::duration<double>(Clock::now() - running.started).count();
    std::error_code code;
    if (status == 0 && fs::exists(recording_path(options_, *running.cell), code)) {
      outcome.state = "measured";
      fs::remove(failure_path(options_, *running.cell), code);
      return {};
    }
    outcome.state = "failed";
    outcome.reason = failure_reason(log_path(options_, *running.cell), status);
    progress_.note(fmt::format("{}: {}", running.cell->file_name(), outcome.reason));
    return write_file_atomic(failure_path(options_, *running.cell), outcome.reason);
  }

  const CampaignPlan& plan_;
  const Options& options_;
  const CancelToken& cancel_;
  Progress& progress_;
  std::vector<Outcome> outcomes_;
  std::vector<RunningCell> running_;
  size_t finished_ = 0;
};

Result<int> run_campaign(const Options& options, const Session& session) {
  HAP_TRY(text, read_file(options.file));
  HAP_TRY(plan, parse_campaign(text, options.file));
  HAP_CHECK(make_dirs(options.out_dir));
  const auto progress = session.progress();
  HAP_TRY(outcomes, Runner(plan, options, session.cancel, *progress).run_all());
  const auto json = summary_json(plan, outcomes);
  HAP_CHECK(write_file_atomic(fs::path(options.out_dir) / "summary.json", json.dump(2) + "\n"));
  HAP_CHECK(print(options.format == "json" ? json.dump(2) + "\n" : summary_text(plan, outcomes)));
  const bool failed =
      std::any_of(outcomes.begin(), outcomes.end(), [](const auto& o) { return o.state == "failed"; });
  return failed ? exit_failed : exit_done;
}

}  // namespace

void add_campaign(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("campaign", "Measure a matrix of cells; resumes where it stopped");
  command->add_option("file", options->file, "TOML file that describes the cells")
      ->required()
      ->type_name("FILE.toml");
  command->add_option("-o,--output", options->out_dir, "Folder for recordings, logs and summary.json")
      ->required()
      ->type_name("DIR");
  command->add_option("--parallel", options->parallel, "Lab machines side by side (default: the file's)")
      ->check(CLI::Range(1, 64));
  command->add_flag("--retry-failed", options->retry_failed, "Measure cells again that failed before");
  command->add_option("--format", options->format, "Summary on standard output")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  hap campaign examples/published-figure.toml -o figure/\n"
      "  hap compare figure/\n\n"
      "A cell whose recording exists is not measured again: after an interruption, run the same command.\n"
      "Exit status: 0 all cells measured, 1 some failed (reasons in the summary), 2 wrong use.");
  command->callback(
      [options, &session] { session.run = [options, &session] { return run_campaign(*options, session); }; });
}

}  // namespace hap::cli
