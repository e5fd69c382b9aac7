// The commands as data, read from their CLI11 definitions: completions and man pages are made from it, so
// they cannot say anything else than what the program accepts.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hap::cli {

// What an argument's value is completed with.
enum class ValueKind {
  none,      // a flag
  text,      // anything
  choice,    // one of `values`
  file,      // a path
  folder,    // a path of a folder
  registry,  // a name that `hap list WHAT` knows; `values` holds WHAT
};

struct OptionModel {
  std::vector<std::string> names;  // "-o", "--output"; empty for a positional argument
  std::string label;               // what the value is called: "FILE.toml"
  std::string description;
  std::string standard;  // value taken when not given; empty: none
  std::string group;     // heading in the help; empty: the common one
  ValueKind kind = ValueKind::text;
  std::vector<std::string> values;
  bool required = false;
  bool repeated = false;  // may be given several times
};

struct CommandModel {
  std::string name;  // "hap" for the program itself
  std::string description;
  std::string footer;  // examples and further words
  std::vector<OptionModel> options;
  std::vector<OptionModel> positionals;
  std::vector<CommandModel> commands;

  const CommandModel* find(const std::string& command) const;
};

// Hidden options and commands (empty group) are left out.
CommandModel describe_commands(const CLI::App& app);

}  // namespace hap::cli
