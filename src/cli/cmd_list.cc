// hap list: what can be named on the command line, from the registries themselves.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/registries.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

namespace hap::cli {
namespace {

struct Options {
  std::string what;
  std::string format = "text";
};

Result<int> list(const Options& options) {
  const auto rows = registry(options.what);
  if (options.format == "json") {
    auto json = nlohmann::json::array();
    for (const auto& row : rows) {
      nlohmann::json entry = {{"name", row.name}, {"summary", row.summary}};
      for (const auto& [key, value] : row.more) entry[key] = value;
      json.push_back(std::move(entry));
    }
    HAP_CHECK(print(json.dump(2) + "\n"));
    return exit_done;
  }
  std::vector<TextRow> table;
  for (const auto& row : rows) table.push_back({row.name, row.summary});
  HAP_CHECK(print(text_table(table)));
  return exit_done;
}

}  // namespace

void add_list(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("list", "What there is: sandboxes, workloads, collectors, metrics, formats");
  command->add_option("what", options->what, "sandboxes, workloads, collectors, metrics or formats")
      ->required()
      ->check(CLI::IsMember(registry_names()));
  command->add_option("--format", options->format, "Output format")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  hap list sandboxes\n"
      "  hap list metrics --format json\n\n"
      "Whether a sandbox or collector works on this machine is told by `hap doctor`.");
  command->callback([options, &session] { session.run = [options] { return list(*options); }; });
}

}  // namespace hap::cli
