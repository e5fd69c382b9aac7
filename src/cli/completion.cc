#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace hap::cli {
namespace {

using Path = std::vector<std::string>;  // of commands below the program: {"lab", "build"}

// 'it'\''s': any text as one word of a shell.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

void each_command(const CommandModel& command, Path& path, const auto& visit) {
  visit(command, path);
  for (const auto& inner : command.commands) {
    path.push_back(inner.name);
    each_command(inner, path, visit);
    path.pop_back();
  }
}

std::string joined(const Path& path) {
  return fmt::format("{}", fmt::join(path, " "));
}

// --- bash ---

std::string bash_words(const std::vector<std::string>& words) {
  return fmt::format("COMPREPLY=($(compgen -W {} -- \"$current\"))",
                     quoted(fmt::format("{}", fmt::join(words, " "))));
}

std::string bash_values(const OptionModel& option) {
  switch (option.kind) {
    case ValueKind::choice:
      return bash_words(option.values);
    case ValueKind::registry:
      return fmt::format("COMPREPLY=($(compgen -W \"$(_hap_names {})\" -- \"$current\"))",
                         option.values.front());
    case ValueKind::file:
      return "_hap_files -f";
    case ValueKind::folder:
      return "_hap_files -d";
    case ValueKind::none:
    case ValueKind::text:
      break;
  }
  return ":";
}

void bash_cases(const CommandModel& command, const Path& path, std::string& options, std::string& words) {
  const std::string here = joined(path);
  std::vector<std::string> names;
  for (const auto& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
    if (option.kind == ValueKind::none) continue;
    for (const auto& name : option.names) {
      options += fmt::format("    {}) {}; return ;;\n", quoted(here + ":" + name), bash_values(option));
    }
  }
  std::vector<std::string> inner;
  for (const auto& one : command.commands) inner.push_back(one.name);
  words += fmt::format("    {})\n      if [[ $current == -* ]]; then {}\n", quoted(here), bash_words(names));
  if (!inner.empty()) {
    words += fmt::format("      else {}\n", bash_words(inner));
  } else if (!command.positionals.empty()) {
    words += fmt::format("      else {}\n", bash_values(command.positionals.front()));
  }
  words += "      fi ;;\n";
}

// --- zsh ---

// Text inside a specification of _arguments: brackets and colons have a meaning there.
std::string zsh_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c == '\n' ? ' ' : c);
  }
  return escaped;
}

std::string zsh_action(const OptionModel& option) {
  switch (option.kind) {
    case ValueKind::choice:
      return fmt::format("({})", fmt::join(option.values, " "));
    case ValueKind::registry:
      return fmt::format("{{_hap_names {}}}", option.values.front());
    case ValueKind::file:
      return "_files";
    case ValueKind::folder:
      return "_files -/";
    case ValueKind::none:
    case ValueKind::text:
      break;
  }
  return " ";
}

std::string zsh_option(const OptionModel& option) {
  std::string result;
  for (const auto& name : option.names) {
    const std::string others = option.repeated ? "*" : fmt::format("({})", fmt::join(option.names, " "));
    std::string spec = fmt::format("{}{}[{}]", others, name, zsh_text(option.description));
    if (option.kind != ValueKind::none)
      spec += fmt::format(":{}:{}", zsh_text(option.label), zsh_action(option));
    result += " \\\n    " + quoted(spec);
  }
  return result;
}

std::string zsh_function_name(const Path& path) {
  std::string name = "_hap";
  for (const auto& part : path) name += "_" + part;
  return name == "_hap" ? "_hap_program" : name;
}

std::string zsh_function(const CommandModel& command, const Path& path) {
  std::string text = fmt::format("{}() {{\n", zsh_function_name(path));
  std::string specs;
  for (const auto& option : command.options) specs += zsh_option(option);
  if (command.commands.empty()) {
    for (const auto& one : command.positionals) {
      specs += " \\\n    " +
               quoted(fmt::format("{}:{}:{}", one.repeated ? "*" : "", zsh_text(one.label), zsh_action(one)));
    }
    return text + "  _arguments -s -S" + specs + "\n}\n\n";
  }
  text += "  local context state state_descr line\n  typeset -A opt_args\n";
  text += "  _arguments -s -S -C" + specs +
          " \\\n    '1:command:->command' \\\n    '*::argument:->argument' && return 0\n";
  text += "  case $state in\n    command)\n      local -a commands\n      commands=(\n";
  for (const auto& inner : command.commands)
    text += "        " + quoted(inner.name + ":" + zsh_text(inner.description)) + "\n";
  text += "      )\n      _describe -t commands command commands ;;\n    argument)\n      case $line[1] in\n";
  for (const auto& inner : command.commands) {
    Path deeper = path;
    deeper.push_back(inner.name);
    text += fmt::format("        {}) {} ;;\n", inner.name, zsh_function_name(deeper));
  }
  return text + "      esac ;;\n  esac\n}\n\n";
}

}  // namespace

std::string bash_completion(const CommandModel& program) {
  std::string options;
  std::string words;
  std::vector<std::string> known;
  Path path;
  each_command(program, path, [&](const CommandModel& command, const Path& here) {
    bash_cases(command, here, options, words);
    if (!here.empty()) known.push_back(quoted(joined(here)));
  });
  return fmt::format(R"sh(# bash completion for hap, made from its command definitions: hap completion bash
_hap_names() {{ hap list "$1" --format json 2>/dev/null | sed -n 's/^ *"name": "\([^"]*\)".*/\1/p'; }}

_hap_files() {{
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen "$1" -- "$current"))
}}

_hap() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} here='' word
  COMPREPLY=()
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "${{here:+$here }}$word" in
      {}) here="${{here:+$here }}$word" ;;
    esac
  done
  case "$here:$previous" in
{}  esac
  case "$here" in
{}  esac
}}
complete -F _hap hap
)sh",
                     known.empty() ? "''" : fmt::format("{}", fmt::join(known, "|")), options, words);
}

std::string zsh_completion(const CommandModel& program) {
  std::string text = R"sh(#compdef hap
# zsh completion for hap, made from its command definitions: hap completion zsh
_hap_names() {
  local -a names
  names=(${(f)"$(hap list $1 --format json 2>/dev/null | sed -n 's/^ *"name": "\([^"]*\)".*/\1/p')"})
  _describe -t names name names
}

)sh";
  Path path;
  each_command(program, path,
               [&](const CommandModel& command, const Path& here) { text += zsh_function(command, here); });
  return text +
         "_hap() { _hap_program \"$@\" }\n\nif [[ $funcstack[1] == _hap ]]; then _hap \"$@\"; else compdef "
         "_hap hap; fi\n";
}

}  // namespace hap::cli
