#include "cli/command_model.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <map>

namespace hap::cli {
namespace {

// The members of CLI::IsMember stand in the type name: "TEXT:{text,json}".
std::vector<std::string> members(const std::string& type) {
  std::vector<std::string> values;
  const auto open = type.find('{');
  const auto close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return values;
  std::string value;
  for (size_t i = open + 1; i <= close; ++i) {
    if (type[i] == ',' || type[i] == '}') {
      if (!value.empty()) values.push_back(value);
      value.clear();
    } else {
      value.push_back(type[i]);
    }
  }
  return values;
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// Which listing knows the values of this option, by its name.
std::string registry_of(const CLI::Option& option) {
  static const std::map<std::string, std::string> listings = {{"sandbox", "sandboxes"},
                                                              {"workload", "workloads"},
                                                              {"collector", "collectors"},
                                                              {"metric", "metrics"}};
  for (const auto& name : option.get_lnames()) {
    const auto found = listings.find(name);
    if (found != listings.end()) return found->second;
  }
  return {};
}

OptionModel describe(const CLI::Option& option) {
  OptionModel model;
  for (const auto& name : option.get_snames()) model.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) model.names.push_back("--" + name);
  model.description = option.get_description();
  model.standard = option.get_default_str();
  model.group =
      option.get_group() == "Options" || option.get_group() == "Positionals" ? "" : option.get_group();
  model.required = option.get_required();
  model.repeated = option.get_items_expected_max() > 1;
  const std::string type = option.get_type_name();
  model.values = members(type);
  model.label = type.substr(0, type.find(':'));
  if (model.label.empty() || (model.label == "TEXT" && model.names.empty())) {
    model.label = option.get_single_name();
    std::transform(model.label.begin(), model.label.end(), model.label.begin(),
                   [](unsigned char c) { return std::toupper(c); });
  }
  const std::string registry = registry_of(option);
  if (option.get_items_expected_max() == 0) {
    model.kind = ValueKind::none;
    model.label.clear();
  } else if (!model.values.empty()) {
    model.kind = ValueKind::choice;
  } else if (!registry.empty()) {
    model.kind = ValueKind::registry;
    model.values = {registry};
  } else if (contains(type, "DIR")) {
    model.kind = ValueKind::folder;
  } else if (contains(type, "FILE") || contains(type, "PATH") || contains(type, ".hap")) {
    model.kind = ValueKind::file;
  }
  return model;
}

}  // namespace

const CommandModel* CommandModel::find(const std::string& command) const {
  const auto found =
      std::find_if(commands.begin(), commands.end(), [&](const auto& one) { return one.name == command; });
  return found == commands.end() ? nullptr : &*found;
}

CommandModel describe_commands(const CLI::App& app) {
  CommandModel model;
  model.name = app.get_name();
  model.description = app.get_description();
  model.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? model.positionals : model.options).push_back(describe(*option));
  }
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (!command->get_group().empty() && !command->get_name().empty())
      model.commands.push_back(describe_commands(*command));
  }
  return model;
}

}  // namespace hap::cli
