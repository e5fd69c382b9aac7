// The report as text, at most 100 columns.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/printable.h"
#include "base/text_layout.h"
#include "report/formats.h"
#include "report/idle_baseline.h"
#include "report/served_length.h"

namespace hap::report {
namespace {

constexpr size_t subsystems_shown = 12;
constexpr size_t name_width = 24;
constexpr size_t figure_width = 15;
constexpr const char* columns[] = {"functions", "function_lines", "executed_lines", "code_bytes",
                                   "complexity"};

// 1234567 -> "1,234,567"
std::string grouped(double value) {
  const std::string digits = fmt::format("{:.0f}", value);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string grouped_or_dash(const std::optional<double>& value) {
  return value ? grouped(*value) : "-";
}

std::string heading(const std::string& title) {
  std::string line = fmt::format("\n{:<{}}", title, name_width);
  for (const auto* column : columns) line += fmt::format("{:>{}}", column, figure_width);
  return line + "\n";
}

std::string row(const std::string& name, const FigureSet& set) {
  std::string line = fmt::format("{:<{}}", printable(name, name_width), name_width);
  for (const auto* column : columns)
    line += fmt::format("{:>{}}", grouped_or_dash(set.value(column)), figure_width);
  return line + "\n";
}

// What the figures could be at most, where that is estimated.
std::string upper_row(const FigureSet& set) {
  std::string line = fmt::format("{:<{}}", "  at most", name_width);
  bool any = false;
  for (const auto* column : columns) {
    const Measurement* figure = set.find(column);
    const bool bounded = figure != nullptr && figure->value && figure->bounded;
    any |= bounded && figure->value->high > figure->value->value;
    line += fmt::format("{:>{}}", bounded ? grouped(std::ceil(figure->value->high)) : "-", figure_width);
  }
  return any ? line + "\n" : "";
}

std::string or_unknown(const std::string& text) {
  return text.empty() ? "unknown" : printable(text, 40);
}

std::string title(const Report& report) {
  std::string out =
      fmt::format("{} in {}", or_unknown(report.value("workload")), or_unknown(report.value("sandbox")));
  const auto profile = report.value("profile");
  if (!profile.empty()) out += fmt::format(" ({} profile)", printable(profile, 20));
  out += fmt::format("\n{}\n", printable(report.path, 100));
  out += fmt::format("Linux {}, {} collector ({}), recorded {}\n", or_unknown(report.value("kernel_release")),
                     or_unknown(report.value("collector")),
                     report.value("granularity") == "function" ? "function entries" : "basic blocks",
                     or_unknown(report.value("created")));
  if (report.requests) {
    out += fmt::format(
        "{} requests served and verified, {} failed\n", grouped(static_cast<double>(*report.requests)),
        report.requests_failed ? std::to_string(*report.requests_failed) : "an unknown number");
  } else {
    out += "It is not recorded how many requests were served.\n";
  }
  return out;
}

std::string main_figures(const Report& report) {
  std::string out = heading("attack profile");
  out += row("HAP", report.hap) + upper_row(report.hap);
  out += row("HAP with softirqs", report.hap_with_softirq) + upper_row(report.hap_with_softirq);
  const auto all = report.hap.value("code_bytes");
  const auto real = report.hap_without_emulation.value("code_bytes");
  if (all != real) out += row("HAP without emulation", report.hap_without_emulation);
  out += row("VAP", report.vap);
  if (report.stage1) out += row("stage 1 (VMM, Sentry)", *report.stage1);
  if (report.stage2) out += row("stage 2 (host)", *report.stage2);
  return out;
}

std::string parts(const std::string& title, const std::vector<NamedFigures>& all) {
  if (all.empty()) return "";
  std::string out = heading(title);
  for (const auto& part : all) out += row(part.name, part.figures);
  return out;
}

std::string phases(const Report& report) {
  std::string out = heading("HAP by phase");
  for (const auto& phase : report.phases) out += row(std::string(to_string(phase.phase)), phase.hap);
  return out;
}

std::string subsystems(const Report& report) {
  if (report.subsystems.empty()) return "";
  std::string out = fmt::format("\n{:<{}}{:>15}{:>15}{:>15}\n", "HAP by source folder", name_width,
                                "functions", "function_lines", "executed_lines");
  const size_t shown = std::min(report.subsystems.size(), subsystems_shown);
  for (size_t i = 0; i < shown; ++i) {
    const auto& each = report.subsystems[i];
    const auto optional = [](const std::optional<uint64_t>& value) {
      return value ? grouped(static_cast<double>(*value)) : std::string("-");
    };
    out += fmt::format("{:<{}}{:>15}{:>15}{:>15}\n", printable(each.name, name_width), name_width,
                       grouped(static_cast<double>(each.functions)), optional(each.function_lines),
                       optional(each.executed_lines));
  }
  if (report.subsystems.size() > shown) {
    out += fmt::format("and {} more; `--format json` has all\n", report.subsystems.size() - shown);
  }
  return out;
}

std::string wrapped(const std::string& text, const std::string& indent) {
  constexpr size_t width = 98;
  std::string out, line = indent;
  size_t at = 0;
  while (at < text.size()) {
    const size_t space = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, space - at);
    if (line.size() > indent.size() && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += " ";
    line += word;
    at = space + 1;
  }
  return out + line + "\n";
}

std::string trust(const Report& report) {
  const auto& completeness = report.completeness;
  std::string out = "\nhow far to trust it\n";
  std::string text = fmt::format("{} windows of serving; ", completeness.windows);
  if (completeness.steady_state) {
    text += *completeness.steady_state ? "steady state reached" : "steady state not reached";
  } else {
    text += "too few windows to tell a steady state";
  }
  if (completeness.coverage) text += fmt::format("; coverage {:.2f} %", 100 * *completeness.coverage);
  if (completeness.unseen) {
    text += fmt::format("; {} functions estimated unseen ({} to {})",
                        grouped(std::round(completeness.unseen->value)), grouped(completeness.unseen->low),
                        grouped(completeness.unseen->high));
  }
  out += wrapped("complete: " + text, "  ");
  for (const auto warning : completeness.warnings) out += wrapped("warning: " + describe(warning), "  ");
  for (const auto& sentence : sentences(report.length)) out += wrapped(printable(sentence), "  ");
  std::string lost = report.loss.events_lost ? fmt::format("{} events lost", *report.loss.events_lost)
                                             : "events lost: not recorded";
  lost += fmt::format("; {} functions could not be observed; {} addresses without a function",
                      report.loss.unobservable_functions, report.loss.unresolved_addresses);
  for (const auto& each : report.loss.others) {
    if (each.count > 0) lost += fmt::format("; {} {}", each.count, printable(each.kind, 40));
  }
  out += wrapped("lost: " + lost, "  ");
  if (const auto& missing = report.loss.without_symbols; !missing.empty()) {
    std::string names;
    for (size_t i = 0; i < std::min<size_t>(missing.size(), 3); ++i) {
      names += fmt::format("{}{}", i == 0 ? "" : ", ", printable(missing[i].path, 60));
    }
    out += wrapped(fmt::format("images without symbols: {} ({}{}); of their code only bytes are known",
                               missing.size(), names, missing.size() > 3 ? ", ..." : ""),
                   "  ");
  }
  if (report.permitted && report.permitted->syscalls) {
    std::string reach =
        fmt::format("{} system calls", grouped(static_cast<double>(*report.permitted->syscalls)));
    if (report.permitted->functions) {
      reach += fmt::format(", which reach {} kernel functions by direct calls alone",
                           grouped(static_cast<double>(*report.permitted->functions)));
    }
    const char* const by =
        report.permitted->unfiltered ? "permitted, without a filter: all " : "permitted by its filters: ";
    out += wrapped(by + reach, "  ");
  }
  if (report.permitted && report.permitted->exits) {
    out += wrapped(
        fmt::format(
            "the guest's {} kinds of exits reach {} kernel functions by direct calls, KVM's ioctls {}",
            grouped(static_cast<double>(*report.permitted->exits)),
            grouped_or_dash(report.permitted->exit_functions),
            grouped_or_dash(report.permitted->ioctl_functions)),
        "  ");
  }
  if (report.permitted && report.permitted->hypercalls) {
    out += wrapped(
        fmt::format("the guest's {} hypercalls and its traps reach {} functions of the hypervisor by direct "
                    "calls alone",
                    grouped(static_cast<double>(*report.permitted->hypercalls)),
                    grouped_or_dash(report.permitted->hypercall_functions)),
        "  ");
  }
  for (const auto& guard : report.guards) {
    if (guard.outcome == Guard::Outcome::passed) continue;
    const char* const outcome = guard.outcome == Guard::Outcome::failed ? "FAILED" : "not checked";
    out += wrapped(printable(fmt::format("check \"{}\": {}: {}", guard.name, outcome, guard.detail)), "  ");
  }
  return out;
}

std::string beside_idle_machine(const Report& report) {
  if (!report.baseline) return "";
  std::string out = "\nbeside the idle machine\n";
  for (const auto& sentence : sentences(*report.baseline)) out += wrapped(printable(sentence), "  ");
  return out;
}

std::string vulnerabilities(const Report& report) {
  if (!report.exposure) return "";
  const auto& count = report.exposure->dated;
  const auto number = [](uint64_t value) { return grouped(static_cast<double>(value)); };
  std::string out = "\nknown vulnerabilities (`hap ledger exposure` has the records)\n";
  out += wrapped(
      fmt::format(
          "exercised: {} records of the kernel have fixed code that ran; {} of them are open in this kernel "
          "version, {} fixed before it, {} never affected it, {} unknown",
          number(count.exercised), number(count.open), number(count.fixed_before),
          number(count.never_affected), number(count.openness_unknown)),
      "  ");
  out += wrapped(fmt::format("met: {} exercised, not ruled out by the sandbox ({} are), open or unknown",
                             number(count.meets), number(count.ruled_out)),
                 "  ");
  out += wrapped(
      fmt::format("beside: {} in the build but not exercised, {} not in this build, {} of unknown place",
                  number(count.present), number(count.absent), number(count.unknown)),
      "  ");
  return out;
}

std::string terms() {
  return fmt::format(
      "\n{}",
      wrapped(
          "HAP: host kernel and hypervisor code that served the workload; with softirqs: plus soft "
          "interrupts run or received for it. VAP: all layers. function_lines: all lines of the functions "
          "hit; executed_lines: distinct lines that ran; code_bytes: distinct bytes that ran; complexity: "
          "cyclomatic, of the machine code. \"at most\": with the code estimated unseen, 95 %. \"-\": "
          "unknown.",
          ""));
}

}  // namespace

std::string render_text(const std::vector<Report>& reports) {
  std::string out;
  for (const auto& report : reports) {
    if (!out.empty()) out += fmt::format("\n{:=<99}\n", "");
    out += title(report) + main_figures(report);
    out += parts("VAP by layer", report.layers) + parts("host code by context", report.contexts);
    out += phases(report) + subsystems(report) + vulnerabilities(report) + beside_idle_machine(report) +
           trust(report);
  }
  return folded_lines(out + terms());
}

}  // namespace hap::report
