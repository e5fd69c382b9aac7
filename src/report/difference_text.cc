// A difference as text for a terminal and as Markdown for a pull request.
#include <fmt/format.h>

#include <cmath>

#include "base/printable.h"
#include "report/difference.h"

namespace hap::report {
namespace {

constexpr size_t listed = 40;
constexpr size_t width = 100;

std::string value_of(const std::optional<double>& value) {
  if (!value) return "-";
  return *value == std::floor(*value) ? fmt::format("{:.0f}", *value) : fmt::format("{:.2f}", *value);
}

std::string count_of(const std::optional<uint64_t>& value) {
  return value ? std::to_string(*value) : "-";
}

std::string change_of(const MetricChange& change) {
  if (!change.before || !change.after) return "-";
  const double difference = *change.after - *change.before;
  return *change.after == std::floor(*change.after) && *change.before == std::floor(*change.before)
             ? fmt::format("{:+.0f}", difference)
             : fmt::format("{:+.2f}", difference);
}

std::string percent_of(const MetricChange& change) {
  const auto relative = change.relative();
  return relative ? fmt::format("{:+.1f} %", 100 * *relative) : "-";
}

std::string name_of(const Side& side) {
  return fmt::format("{} in {} ({})", side.workload.empty() ? "unknown" : side.workload,
                     side.sandbox.empty() ? "unknown" : side.sandbox, side.path);
}

// The first of the names, and how many more there are.
std::string few_of(const std::vector<std::string>& names, size_t most) {
  std::string out;
  for (size_t i = 0; i < std::min(names.size(), most); ++i) out += (i > 0 ? ", " : "") + names[i];
  if (names.size() > most) out += fmt::format(" and {} more", names.size() - most);
  return out;
}

// "task, softirq; sendto, *sock_write_iter and 3 more"
std::string brought_by(const Origin& origin, size_t most) {
  std::string out = few_of(origin.contexts, 6);
  std::vector<std::string> entries;
  for (const auto& entry : origin.entries) entries.push_back((entry.syscall ? "" : "*") + entry.name);
  if (!entries.empty()) out += (out.empty() ? "" : "; ") + few_of(entries, most);
  return out;
}

std::string gained_and_lost(const std::optional<uint64_t>& gained, const std::optional<uint64_t>& lost) {
  return gained && lost ? fmt::format("+{} -{}", *gained, *lost) : "-";
}

std::string folders(const Difference& difference) {
  if (difference.folders.empty()) return "";
  std::string out =
      fmt::format("\n{:<24}{:>14}{:>16}  {}\n", "source folder", "functions", "executed lines", "brought by");
  for (size_t i = 0; i < std::min(difference.folders.size(), listed); ++i) {
    const auto& folder = difference.folders[i];
    // Lines of two kernel builds are not the same lines: then how many there were.
    const auto lines = folder.lines_gained ? gained_and_lost(folder.lines_gained, folder.lines_lost)
                                           : fmt::format("{} -> {}", count_of(folder.lines_before),
                                                         count_of(folder.lines_after));
    out += fmt::format("{:<24}{:>14}{:>16}  {}\n", printable(folder.name, 24),
                       gained_and_lost(folder.functions_gained, folder.functions_lost), lines,
                       printable(brought_by(folder.origin, 2), width - 56));
  }
  if (difference.folders.size() > listed) {
    out += fmt::format("and {} more; `--format json` has all\n", difference.folders.size() - listed);
  }
  return out;
}

std::string syscalls(const std::string& title, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  return printable(fmt::format("{}: {}", title, few_of(names, 8)), width) + "\n";
}

std::string listing(const std::string& title, const std::vector<FunctionChange>& functions, bool before,
                    bool after) {
  if (functions.empty()) return "";
  std::string out = fmt::format("\n{}: {}\n", title, functions.size());
  for (size_t i = 0; i < std::min(functions.size(), listed); ++i) {
    const auto& each = functions[i];
    const auto count = [](const std::optional<uint32_t>& lines) {
      return lines ? std::to_string(*lines) : std::string("-");
    };
    const auto lines = before && after ? count(each.lines_before) + " -> " + count(each.lines_after)
                                       : count(before ? each.lines_before : each.lines_after);
    out += fmt::format("  {:<32} {:<24} {:>12}  {}\n", printable(each.name, 32),
                       printable(each.file.empty() ? "-" : each.file, 24), lines,
                       printable(brought_by(each.origin, 1), width - 74));
  }
  if (functions.size() > listed) {
    out += fmt::format("  and {} more; `--format json` has all\n", functions.size() - listed);
  }
  return out;
}

// Text in a table cell or list of Markdown, whatever it is: no markup, no line end.
std::string plain_markdown(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (std::string_view("\\`*_{}[]<>()#+!|~&@").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// A code span that its content cannot end.
std::string code_markdown(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) out += c == '`' ? '\'' : c;
  return "`" + out + "`";
}

std::string details(const std::string& title, const std::vector<FunctionChange>& functions) {
  if (functions.empty()) return "";
  std::string out = fmt::format("\n<details><summary>{}: {}</summary>\n\n", title, functions.size());
  for (size_t i = 0; i < std::min(functions.size(), 5 * listed); ++i) {
    const auto& each = functions[i];
    out += fmt::format("- {}{}{}", code_markdown(each.name), each.file.empty() ? "" : " ",
                       plain_markdown(each.file));
    const auto origin = brought_by(each.origin, 3);
    out += origin.empty() ? "\n" : fmt::format(" ({})\n", plain_markdown(origin));
  }
  if (functions.size() > 5 * listed) out += fmt::format("- and {} more\n", functions.size() - 5 * listed);
  return out + "\n</details>\n";
}

std::string folder_table(const Difference& difference) {
  if (difference.folders.empty()) return "";
  constexpr size_t shown = 15;
  std::string out = "\n| source folder | functions | executed lines | brought by |\n|---|--:|--:|---|\n";
  for (size_t i = 0; i < std::min(difference.folders.size(), shown); ++i) {
    const auto& folder = difference.folders[i];
    const auto lines = folder.lines_gained ? gained_and_lost(folder.lines_gained, folder.lines_lost)
                                           : fmt::format("{} → {}", count_of(folder.lines_before),
                                                         count_of(folder.lines_after));
    out += fmt::format("| {} | {} | {} | {} |\n", code_markdown(folder.name),
                       gained_and_lost(folder.functions_gained, folder.functions_lost), lines,
                       plain_markdown(brought_by(folder.origin, 4)));
  }
  if (difference.folders.size() > shown) {
    out += fmt::format("\nand {} more folders\n", difference.folders.size() - shown);
  }
  return out;
}

std::string syscall_line(const std::string& title, const std::vector<std::string>& names) {
  return names.empty() ? "" : fmt::format("\n{}: {}\n", title, plain_markdown(few_of(names, 20)));
}

}  // namespace

std::string render_text(const Difference& difference) {
  std::string out = fmt::format(
      "before: {}\nafter:  {}\n{}, phase {}\n\n", printable(name_of(difference.before), 90),
      printable(name_of(difference.after), 90), difference.options.with_softirq ? "HAP with softirqs" : "HAP",
      to_string(difference.options.phase));
  out += fmt::format("{:<16}{:>14}{:>14}{:>14}{:>12}\n", "", "before", "after", "change", "percent");
  for (const auto& change : difference.metrics) {
    out += fmt::format("{:<16}{:>14}{:>14}{:>14}{:>12}\n", change.metric, value_of(change.before),
                       value_of(change.after), change_of(change), percent_of(change));
  }
  out += folders(difference);
  out += fmt::format("\nfunctions in both: {}\n", difference.in_both);
  out += syscalls("system calls only before", difference.syscalls_only_before);
  out += syscalls("system calls only after", difference.syscalls_only_after);
  out +=
      listing("only before: function, file, executed lines, brought by", difference.only_before, true, false);
  out += listing("only after", difference.only_after, false, true);
  out += listing("in both, other lines executed", difference.changed, true, true);
  out +=
      "\n+ only after, - only before; -> from, to. Brought by: the contexts a function ran in; then the\n"
      "system calls, and the functions entered (*) through a pointer, an exception or an interrupt, from\n"
      "which direct calls lead to it, nearest first. \"-\": unknown.\n";
  return out;
}

std::string render_markdown(const Difference& difference) {
  std::string out = fmt::format("### Attack profile: {} → {}\n\n", plain_markdown(name_of(difference.before)),
                                plain_markdown(name_of(difference.after)));
  out += "| metric | before | after | change | percent |\n|---|--:|--:|--:|--:|\n";
  for (const auto& change : difference.metrics) {
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", change.metric, value_of(change.before),
                       value_of(change.after), change_of(change), percent_of(change));
  }
  out += folder_table(difference);
  if (!difference.folders.empty()) {
    out +=
        "\nBrought by: contexts; then system calls, and functions entered (\\*) through a pointer, an "
        "exception or an interrupt, that lead to it by direct calls.\n";
  }
  out += syscall_line("System calls no longer entered", difference.syscalls_only_before);
  out += syscall_line("System calls newly entered", difference.syscalls_only_after);
  out += details("Functions no longer reached", difference.only_before);
  out += details("Functions newly reached", difference.only_after);
  return out;
}

}  // namespace hap::report
