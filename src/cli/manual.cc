#include "cli/manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <sstream>

namespace hap::cli {
namespace {

// Text as roff shows it: backslashes, hyphens of options, quotes, and lines that would be taken for requests.
std::string roff(const std::string& text) {
  std::string result;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '\'') {
      result += "\\(aq";
    } else if (c == '`') {
      result += "\\(ga";
    } else if (c == '^') {
      result += "\\(ha";
    } else if (c == '~') {
      result += "\\(ti";
    } else {
      result.push_back(c);
    }
    at_start = c == '\n';
  }
  return result;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Lines as they are, without an empty one at either end.
std::string verbatim(const std::vector<std::string>& lines) {
  size_t first = 0;
  size_t last = lines.size();
  while (first < last && lines[first].empty()) ++first;
  while (last > first && lines[last - 1].empty()) --last;
  std::string text = ".nf\n";
  for (size_t i = first; i < last; ++i)
    text += (lines[i].empty() ? std::string(".sp") : roff(lines[i])) + "\n";
  return text + ".fi\n";
}

std::string heading(const std::string& page, int section, const std::string& version) {
  return fmt::format(".TH {} {} \"\" \"hapmeter {}\" \"hapmeter\"\n", roff(upper(page)), section, version);
}

std::string value_of(const OptionModel& option) {
  if (option.kind == ValueKind::none) return {};
  return fmt::format("\\fI{}\\fR",
                     roff(option.kind == ValueKind::choice ? fmt::format("{}", fmt::join(option.values, "|"))
                                                           : option.label));
}

std::string option_text(const OptionModel& option) {
  std::vector<std::string> names;
  for (const auto& name : option.names) names.push_back("\\fB" + roff(name) + "\\fR");
  std::string text = ".TP\n";
  if (names.empty()) {
    text += value_of(option);
  } else {
    text += fmt::format("{}", fmt::join(names, ", "));
    if (const auto value = value_of(option); !value.empty()) text += " " + value;
  }
  const bool more = option.required || option.repeated || !option.standard.empty();
  const bool open = !option.description.empty() && option.description.back() != '.';
  text += "\n" + roff(option.description) + (open && more ? "." : "");
  if (option.required && !option.names.empty()) text += " Required.";
  if (option.repeated) text += " May be given several times.";
  if (!option.standard.empty() && option.kind != ValueKind::none)
    text += fmt::format(" Default: {}.", roff(option.standard));
  return text + "\n";
}

std::string synopsis(const CommandModel& command, const std::string& called) {
  std::string text = fmt::format("\\fB{}\\fR", roff(called));
  if (!command.options.empty()) text += " [\\fIOPTION\\fR]...";
  for (const auto& one : command.positionals) {
    const std::string value = value_of(one);
    text += " " + (one.required ? value : "[" + value + "]") + (one.repeated ? "..." : "");
  }
  if (!command.commands.empty()) text += " \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...";
  return text + "\n";
}

std::string options_text(const CommandModel& command) {
  std::string text;
  std::string group;
  for (const auto& option : command.positionals) text += option_text(option);
  std::vector<OptionModel> options = command.options;
  std::stable_sort(options.begin(), options.end(),
                   [](const auto& a, const auto& b) { return a.group < b.group; });
  for (const auto& option : options) {
    if (option.group != group) text += fmt::format(".SS {}\n", roff(group = option.group));
    text += option_text(option);
  }
  return text;
}

// The footer's paragraphs: one that begins with "Examples:" and its indented lines become a section of their
// own.
std::string footer_text(const std::string& footer) {
  std::vector<std::string> examples;
  std::vector<std::string> rest;
  bool in_examples = false;
  for (const auto& line : lines_of(footer)) {
    if (line.rfind("Example", 0) == 0) {
      in_examples = true;
      continue;
    }
    if (in_examples && !line.empty() && line[0] != ' ') in_examples = false;
    (in_examples ? examples : rest).push_back(line);
  }
  std::string text;
  if (!examples.empty()) text += ".SH EXAMPLES\n" + verbatim(examples);
  if (std::any_of(rest.begin(), rest.end(), [](const auto& line) { return !line.empty(); })) {
    text += ".SH NOTES\n" + verbatim(rest);
  }
  return text;
}

constexpr const char* exit_status = R"(.SH EXIT STATUS
.TP
\fB0\fR
Done.
.TP
\fB1\fR
Failed; the message on standard error says what and what to do about it.
.TP
\fB2\fR
Wrong use: an unknown command, option, sandbox or workload.
.TP
\fB3\fR
A threshold that was asked for (\fB\-\-fail\-over\fR) was exceeded.
)";

constexpr const char* environment = R"(.SH ENVIRONMENT
.TP
\fBHAP_CACHE_DIR\fR
Where the lab, checkpoints and symbol indexes are kept. Default: \fI$XDG_CACHE_HOME/hapmeter\fR or \fI\(ti/.cache/hapmeter\fR.
.TP
\fBHAP_DATA_DIR\fR, \fBHAP_LIBEXEC_DIR\fR
Where the files and programs that come with hap are, if not beside it.
.TP
\fBNO_COLOR\fR
When set and not empty, nothing is coloured.
)";

}  // namespace

std::string man_page(const CommandModel& program, const CommandModel& command, const std::string& version) {
  const bool whole = &program == &command;
  const std::string page = whole ? program.name : program.name + "-" + command.name;
  const std::string called = whole ? program.name : program.name + " " + command.name;
  std::string text = heading(page, 1, version);
  std::string brief = command.description;
  if (!brief.empty() && brief.back() == '.') brief.pop_back();
  text += fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}", roff(page), roff(brief),
                      synopsis(command, called));
  text += fmt::format(".SH DESCRIPTION\n{}.\n", roff(brief));
  if (!command.commands.empty()) {
    text += ".SH COMMANDS\n";
    for (const auto& inner : command.commands) {
      text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(inner.name), roff(inner.description));
    }
  }
  if (const auto options = options_text(command); !options.empty()) text += ".SH OPTIONS\n" + options;
  if (!whole) {
    for (const auto& inner : command.commands) {
      text += fmt::format(".SH {}\n{}\n{}.PP\n{}\n{}", roff(upper(called + " " + inner.name)),
                          synopsis(inner, called + " " + inner.name), "", roff(inner.description),
                          options_text(inner));
    }
  }
  text += footer_text(command.footer);
  text += exit_status;
  if (whole) text += environment;
  text += ".SH SEE ALSO\n";
  std::vector<std::string> others;
  if (!whole) others.push_back("\\fBhap\\fR(1)");
  for (const auto& one : program.commands) {
    if (one.name != command.name)
      others.push_back(fmt::format("\\fB{}\\fR(1)", roff(program.name + "-" + one.name)));
  }
  return text + fmt::format("{}\n", fmt::join(others, ",\n"));
}

std::string topic_page(const std::string& topic, const std::string& text, const std::string& version) {
  auto lines = lines_of(text);
  const std::string title = lines.empty() ? topic : lines.front();
  if (!lines.empty()) lines.erase(lines.begin());
  return heading("hapmeter-" + topic, 7, version) +
         fmt::format(".SH NAME\n{} \\- {}\n.SH DESCRIPTION\n", roff("hapmeter-" + topic), roff(title)) +
         verbatim(lines) + ".SH SEE ALSO\n\\fBhap\\fR(1)\n";
}

}  // namespace hap::cli
