// hap lab: the machine in which `hap measure` runs its cells.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/lab_index.h"
#include "cli/terminal.h"
#include "cli/text_table.h"
#include "lab/lab.h"

namespace hap::cli {
namespace {

using namespace std::chrono_literals;

struct Options {
  lab::LabSpec spec;
  bool again = false;
  bool keep_debug = false;
  bool verify = false;
  bool everything = true;
  std::string format = "text";
  std::vector<std::string> argv;
};

void add_spec_options(CLI::App& command, lab::LabSpec& spec) {
  command.add_option("--suite", spec.suite, "Debian suite of the kernel, for example trixie or bookworm")
      ->capture_default_str();
  command
      .add_option("--kernel", spec.kernel, "cloud, full, or the name of a kernel package (linux-image-...)")
      ->capture_default_str();
  command
      .add_option("--hypervisor", spec.hypervisor,
                  "xen: boot it beneath the kernel, which is then the full one")
      ->check(CLI::IsMember({"xen"}));
}

void add_machine_options(CLI::App& command, lab::LabSpec& spec) {
  add_spec_options(command, spec);
  command.add_option("--processors", spec.processors, "Virtual processors (nested sandboxes need 1)")
      ->capture_default_str();
  command.add_option("--memory", spec.memory_mib, "Memory in MiB")->capture_default_str();
  command.add_option("--icount", spec.icount,
                     "Drive the machine by the instruction clock: shift=2,sleep=off");
}

lab::LabSpec machine_of(const Options& options) {
  return lab::on_hypervisor(options.spec, options.spec.hypervisor);
}

Result<int> build(const Options& options, const Session& session) {
  auto progress = session.progress();
  HAP_TRY(lab, lab::build_lab(machine_of(options), options.again, *progress, session.cancel));
  HAP_CHECK(index_lab_kernel(lab, options.keep_debug, *progress, session.cancel));
  const auto& facts = lab.kernel.manifest.facts;
  progress->note(fmt::format("the lab is ready: {} on Linux {}", lab::kUserlandSuite,
                             facts.value("release", std::string("?"))));
  return exit_done;
}

std::string summary(const lab::CacheRow& row) {
  if (row.problem) return *row.problem;
  auto text = [&](const char* name) { return row.facts.value(name, std::string()); };
  if (row.name.rfind("userland-", 0) == 0) {
    return fmt::format("Debian {}, {} packages", text("suite"),
                       row.facts.value("packages", nlohmann::json::object()).size());
  }
  if (row.name.rfind("kernel-", 0) == 0 || row.name.rfind("hypervisor-", 0) == 0)
    return fmt::format("{} {}", text("package"), text("version"));
  if (row.name.rfind("checkpoint-", 0) == 0) {
    const std::string clock = text("icount").empty() ? "wall clock" : "icount " + text("icount");
    return fmt::format("Linux {}, {} processors, {}, QEMU {}", text("release"),
                       row.facts.value("processors", 0), clock, text("qemu"));
  }
  return text("package");
}

Result<int> status(const Options& options) {
  HAP_TRY(cache, lab::LabCache::open());
  const auto rows = cache.rows(options.verify);
  uint64_t total = 0;
  bool damaged = false;
  for (const auto& row : rows) {
    total += row.bytes;
    damaged = damaged || row.problem.has_value();
  }
  if (options.format == "json") {
    auto entries = nlohmann::json::array();
    for (const auto& row : rows) {
      entries.push_back({{"name", row.name},
                         {"bytes", row.bytes},
                         {"in_use", row.in_use},
                         {"problem", row.problem ? nlohmann::json(*row.problem) : nlohmann::json()},
                         {"facts", row.facts}});
    }
    const nlohmann::json json{{"schema", "hapmeter.lab-status/1"},
                              {"folder", cache.folder()},
                              {"bytes", total},
                              {"entries", entries}};
    HAP_CHECK(print(json.dump(2) + "\n"));
    return damaged ? exit_failed : exit_done;
  }
  if (rows.empty()) {
    HAP_CHECK(print("The lab is not built. Run `hap lab build`.\n"));
    return exit_done;
  }
  std::vector<TextRow> table;
  for (const auto& row : rows) {
    table.push_back({row.name, lab::format_bytes(row.bytes), row.in_use ? "in use" : "", summary(row)});
  }
  table.push_back({"total", lab::format_bytes(total), "", cache.folder()});
  HAP_CHECK(print(text_table(table)));
  return damaged ? exit_failed : exit_done;
}

Result<int> run_one(lab::Machine& machine, const Options& options, const Session& session) {
  HAP_TRY(done,
          machine.call("exec", {{"argv", options.argv}, {"timeout_ms", 86400000}}, session.cancel, 24h));
  HAP_CHECK(print(done.body.value("out", "")));
  const std::string err = done.body.value("err", "");
  if (!err.empty() && ::write(STDERR_FILENO, err.data(), err.size()) < 0) return exit_failed;
  return done.body.value("status", 1) == 0 ? exit_done : exit_failed;
}

Result<int> shell(const Options& options, const Session& session) {
  const bool interactive = options.argv.empty();
  if (interactive && (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)) {
    return Error("a shell needs a terminal", ErrorKind::usage)
        .hint("name a command: hap lab shell -- uname -a");
  }
  auto progress = session.progress();
  HAP_TRY(lab, lab::open_lab(machine_of(options), *progress, session.cancel));
  lab::StartOptions start;
  start.console_on_terminal = interactive;
  HAP_TRY(machine, lab::start_machine(lab, start, session.cancel));
  progress->done();
  if (!interactive) {
    HAP_TRY(code, run_one(machine, options, session));
    HAP_CHECK(machine.quit(session.cancel));
    return code;
  }
  winsize size{};
  ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  const char* term = std::getenv("TERM");
  const nlohmann::json request{
      {"rows", size.ws_row}, {"columns", size.ws_col}, {"term", term ? term : "linux"}};
  HAP_TRY(done, machine.call("shell", request, session.cancel, 24h));
  HAP_CHECK(machine.quit(session.cancel));
  return exit_done;
}

Result<int> clean(const Options& options, const Session& session) {
  const lab::LabSpec spec = machine_of(options);
  HAP_CHECK(check_spec(spec));
  HAP_TRY(cache, lab::LabCache::open());
  auto progress = session.progress();
  const std::string beneath = spec.hypervisor.empty() ? "" : spec.hypervisor + "-";
  const std::string variant = "-" + spec.suite + "-" + spec.kernel + "-" + beneath;
  const std::string hypervisor = "hypervisor-" + spec.suite + "-" + beneath;
  uint64_t freed = 0;
  for (const auto& row : cache.rows()) {
    if (!options.everything && row.name.find(variant) == std::string::npos &&
        (beneath.empty() || row.name.rfind(hypervisor, 0) != 0)) {
      continue;
    }
    HAP_CHECK(cache.remove(row.name));
    freed += row.bytes;
  }
  progress->note("freed " + lab::format_bytes(freed));
  return exit_done;
}

}  // namespace

void add_lab(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* lab = app.add_subcommand(
      "lab", "The emulated machine in which cells are measured: build, status, shell, clean");
  lab->require_subcommand(1);
  lab->footer(
      "Examples:\n"
      "  hap lab build\n"
      "  hap lab build --suite bookworm            another kernel, beside the first\n"
      "  hap lab shell -- uname -r\n"
      "  hap lab status --format json\n\n"
      "The lab lies in the user's cache folder; HAP_CACHE_DIR or XDG_CACHE_HOME move it.");

  auto* build_command = lab->add_subcommand("build", "Download, build and checkpoint what is missing");
  add_machine_options(*build_command, options->spec);
  build_command->add_option("--mirror", options->spec.mirror, "Debian mirror instead of the machine's own");
  build_command->add_flag("--again", options->again, "Build everything anew from what the mirror has now");
  build_command->add_flag("--keep-debug", options->keep_debug,
                          "Keep the kernel's debug files after indexing");
  build_command->callback(
      [options, &session] { session.run = [=, &session] { return build(*options, session); }; });

  auto* status_command = lab->add_subcommand("status", "What the lab holds, and how large it is");
  status_command->add_option("--format", options->format, "Output format")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  status_command->add_flag("--verify", options->verify, "Compare the content of large files, too");
  status_command->callback([options, &session] { session.run = [=] { return status(*options); }; });

  auto* shell_command =
      lab->add_subcommand("shell", "A shell, or one command, in a machine started from the checkpoint");
  add_machine_options(*shell_command, options->spec);
  shell_command->add_option("command", options->argv, "Command and arguments, after --");
  shell_command->callback(
      [options, &session] { session.run = [=, &session] { return shell(*options, session); }; });

  auto* clean_command =
      lab->add_subcommand("clean", "Remove the lab; with --suite or --kernel only that kernel");
  add_spec_options(*clean_command, options->spec);
  clean_command->callback([options, clean_command, &session] {
    options->everything = clean_command->count("--suite") + clean_command->count("--kernel") +
                              clean_command->count("--hypervisor") ==
                          0;
    session.run = [=, &session] { return clean(*options, session); };
  });
}

}  // namespace hap::cli
