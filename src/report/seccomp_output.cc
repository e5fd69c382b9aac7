// The profile itself, and what `hap seccomp` says about it.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/seccomp_advice.h"

namespace hap::report {
namespace {

using nlohmann::ordered_json;

constexpr size_t text_width = 100;
constexpr size_t subsystems_shown = 8;
constexpr int enosys = 38;

// Words after a heading, wrapped and indented.
std::string words(const std::string& heading, const std::set<std::string>& names) {
  if (names.empty()) return "";
  std::string out = fmt::format("\n{} ({}):\n", heading, names.size());
  std::string line = " ";
  for (const auto& name : names) {
    if (line.size() + 1 + name.size() > text_width) {
      out += line + "\n";
      line = " ";
    }
    line += " " + name;
  }
  return out + line + "\n";
}

std::string share(uint64_t before, uint64_t after) {
  if (before == 0) return "";
  return fmt::format(" ({:+.0f} %)", 100.0 * (static_cast<double>(after) - static_cast<double>(before)) /
                                         static_cast<double>(before));
}

ordered_json surface_json(const SyscallSurface& surface) {
  ordered_json object;
  object["syscalls"] = surface.syscalls.size();
  object["functions"] = surface.functions ? ordered_json(*surface.functions) : ordered_json(nullptr);
  return object;
}

}  // namespace

std::string render_profile(const std::set<std::string>& names, bool audit) {
  ordered_json profile;
  profile["defaultAction"] = audit ? "SCMP_ACT_LOG" : "SCMP_ACT_ERRNO";
  if (!audit) profile["defaultErrnoRet"] = enosys;
  profile["architectures"] = {"SCMP_ARCH_X86_64"};
  ordered_json rule;
  rule["names"] = names;
  rule["action"] = "SCMP_ACT_ALLOW";
  profile["syscalls"] = ordered_json::array({rule});
  return profile.dump(2) + "\n";
}

std::string render_text(const SeccompAdvice& advice) {
  std::string out =
      fmt::format("profile: {} system calls: {} made by the service, {} more for the runtime, {} unasked",
                  advice.names().size(), advice.service.size(), advice.runtime.size(), advice.unasked.size());
  if (!advice.added.empty()) out += fmt::format(", {} asked for", advice.added.size());
  out += fmt::format("\nfrom {} recording{}, all phases\n", advice.recordings.size(),
                     advice.recordings.size() == 1 ? "" : "s");
  out += fmt::format("against {}:\n", advice.against);
  out += fmt::format("  system calls permitted         {:>7} -> {}{}\n", advice.before.syscalls.size(),
                     advice.after.syscalls.size(),
                     share(advice.before.syscalls.size(), advice.after.syscalls.size()));
  if (advice.before.functions && advice.after.functions) {
    out += fmt::format("  kernel functions behind them   {:>7} -> {}{}\n", *advice.before.functions,
                       *advice.after.functions, share(*advice.before.functions, *advice.after.functions));
  } else {
    out += "  kernel functions behind them   unknown: no symbols for this kernel\n";
  }
  std::vector<std::pair<std::string, uint64_t>> largest(advice.removed_functions.begin(),
                                                        advice.removed_functions.end());
  std::stable_sort(largest.begin(), largest.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (!largest.empty()) {
    out += "  functions removed, by subsystem:";
    for (size_t i = 0; i < std::min(subsystems_shown, largest.size()); ++i) {
      out += fmt::format("{} {} {}", i == 0 ? "" : ",", largest[i].first, largest[i].second);
    }
    out += "\n";
  }
  out += words("removed", advice.removed);
  out += words("only for the runtime, before the service starts", advice.runtime);
  out += words("permitted whatever the arguments, which the other filter restricts", advice.widened);
  out += words("permitted though the other filter denies them", advice.forbidden);
  out += words("asked for in vain under the other filter, and not permitted either", advice.refused);
  if (!advice.unnamed.empty()) {
    out += "\nseen, but not in the profile, since they have no name:";
    for (const uint32_t number : advice.unnamed) out += fmt::format(" {}", number);
    out += "\n";
  }
  out +=
      "\nFunctions behind system calls: reached from their entries by direct calls of the machine code, so "
      "a\n"
      "lower bound. The profile knows what these recordings did: what the service does rarely may be "
      "missing.\n"
      "Try it with --audit first, which logs instead of refusing.\n";
  return out;
}

std::string render_json(const SeccompAdvice& advice) {
  ordered_json object;
  object["schema"] = "hapmeter.seccomp/1";
  object["recordings"] = advice.recordings;
  object["profile"] = ordered_json::parse(render_profile(advice.names(), false));
  object["service"] = ordered_json::array();
  for (const auto& [name, tasks] : advice.service) {
    ordered_json row;
    row["name"] = name;
    row["tasks"] = tasks;
    object["service"].push_back(std::move(row));
  }
  object["runtime"] = advice.runtime;
  object["unasked"] = advice.unasked;
  object["added"] = advice.added;
  object["refused"] = advice.refused;
  object["unnamed"] = advice.unnamed;
  object["against"] = advice.against;
  object["before"] = surface_json(advice.before);
  object["after"] = surface_json(advice.after);
  object["removed"] = advice.removed;
  object["widened"] = advice.widened;
  object["forbidden"] = advice.forbidden;
  object["removed_functions"] = advice.removed_functions;
  return object.dump(2) + "\n";
}

}  // namespace hap::report
