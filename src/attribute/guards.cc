#include "attribute/guards.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

namespace hap::attribute {
namespace {

using Outcome = Guard::Outcome;

std::string meta(const GuardFacts& facts, const std::string& key) {
  const auto found = facts.header.meta.find(key);
  return found == facts.header.meta.end() ? std::string() : found->second;
}

std::optional<uint64_t> number(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool starts_with(const std::string& text, std::string_view prefix) {
  return std::string_view(text).substr(0, prefix.size()) == prefix;
}

Guard context_switches(const GuardFacts& facts) {
  Guard guard{"context switches", Outcome::unknown, "the collector did not count them", ErrorKind::failed};
  const auto count = number(meta(facts, "context_switches"));
  if (!count) return guard;
  guard.outcome = *count > 0 ? Outcome::passed : Outcome::failed;
  guard.detail = *count > 0
                     ? fmt::format("{} seen", *count)
                     : "the hook on the kernel's context switch never fired, so code was credited to the "
                       "wrong tasks";
  return guard;
}

Guard marks(const GuardFacts& facts) {
  Guard guard{"marks", Outcome::unknown, "the collector did not report them", ErrorKind::failed};
  const auto paired = meta(facts, "marks_paired");
  if (paired.empty()) return guard;
  guard.outcome = paired == "1" ? Outcome::passed : Outcome::failed;
  guard.detail =
      paired == "1" ? "every phase that began ended" : "a phase began or ended without its counterpart";
  return guard;
}

Guard serve_windows(const GuardFacts& facts) {
  const auto count = std::count_if(facts.header.windows.begin(), facts.header.windows.end(),
                                   [](const Window& window) { return window.phase == Phase::serve; });
  return {"phase serve", count > 0 ? Outcome::passed : Outcome::failed,
          count > 0 ? fmt::format("{} windows", count) : "the recording has no window in phase serve",
          ErrorKind::sandbox};
}

// A recording of the idle machine: nobody is asked for anything.
bool is_idle(const GuardFacts& facts) {
  return meta(facts, "workload") == "idle";
}

Guard load_served(const GuardFacts& facts) {
  if (is_idle(facts))
    return {"load served", Outcome::passed, "the machine was left idle", ErrorKind::workload};
  Guard guard{"load served", Outcome::unknown, "the recording does not say how many requests were served",
              ErrorKind::workload};
  const auto requests = number(meta(facts, "requests"));
  const auto failed = number(meta(facts, "requests_failed"));
  if (!requests) return guard;
  const bool good = *requests > 0 && failed.value_or(0) == 0;
  guard.outcome = good ? Outcome::passed : Outcome::failed;
  guard.detail = fmt::format("{} requests served and verified, {} failed", *requests,
                             failed ? std::to_string(*failed) : "an unknown number");
  return guard;
}

Guard scope_declared(const GuardFacts& facts) {
  Guard guard{"scope", Outcome::passed, "", ErrorKind::sandbox};
  static const std::set<std::string> kinds = {"cgroup", "pid", "tid", "comm", "kthread", "netdev", "image"};
  for (const auto& rule : facts.header.scope) {
    const bool known = kinds.contains(rule.kind) && role_from(rule.role).value_or(Role::none) != Role::none;
    if (!known) {
      guard.outcome = Outcome::failed;
      guard.detail = fmt::format("rule \"{} {} {}\" is not understood", rule.kind, rule.value, rule.role);
      return guard;
    }
    if (rule.kind == "cgroup" && (rule.value == "/" || rule.value.empty())) {
      guard.outcome = Outcome::failed;
      guard.detail = "the scope is the root cgroup, that is, the whole machine";
      return guard;
    }
  }
  guard.detail = fmt::format("{} rules", facts.header.scope.size());
  if (facts.header.scope.empty()) {
    guard.outcome = Outcome::failed;
    guard.detail = "the sandbox did not say which tasks are its own";
  }
  return guard;
}

// Roles of which own code must have run while serving: declared by the recording, or known from the
// technology.
std::set<Role> required_roles(const GuardFacts& facts) {
  std::set<Role> roles;
  std::string declared = meta(facts, "required_roles");
  while (!declared.empty()) {
    const size_t comma = declared.find(',');
    if (const auto role = role_from(declared.substr(0, comma))) roles.insert(*role);
    declared = comma == std::string::npos ? "" : declared.substr(comma + 1);
  }
  const auto sandbox = meta(facts, "sandbox");
  if (starts_with(sandbox, "kvm") || starts_with(sandbox, "kata") || starts_with(sandbox, "xen")) {
    roles.insert(Role::vcpu);
  } else if (starts_with(sandbox, "gvisor")) {
    roles.insert(Role::sandbox);
  } else if (roles.empty()) {
    roles.insert(Role::application);
  }
  return roles;
}

Guard thread_classes(const GuardFacts& facts) {
  Guard guard{"thread classes", Outcome::passed, "", ErrorKind::sandbox};
  if (is_idle(facts)) {
    guard.detail = "the service sleeps: the machine was left idle";
    return guard;
  }
  for (const Role role : required_roles(facts)) {
    uint64_t hits = 0;
    for (const auto& total : facts.accounts) {
      if (total.account.role == role && total.account.standing == Standing::own) hits += total.serve_hits;
    }
    if (hits == 0) {
      guard.outcome = Outcome::failed;
      guard.detail = fmt::format("no thread of role {} did anything in phase serve", to_string(role));
      return guard;
    }
    guard.detail += fmt::format("{}{}: {} hits", guard.detail.empty() ? "" : ", ", to_string(role), hits);
  }
  return guard;
}

// A child that left the scope makes the sandbox look lean: the tracer that did not follow the fork.
Guard children_followed(const GuardFacts& facts) {
  Guard guard{"children followed", Outcome::passed, "no child of the sandbox ran outside its scope",
              ErrorKind::sandbox};
  // Pid and start of every thread that ever was inside, with its latest row there. Rows are in order of time:
  // a thread that was outside before has moved in, one that is outside later has left.
  std::map<std::pair<int32_t, uint64_t>, uint32_t> threads_inside;
  std::unordered_map<int32_t, uint64_t> processes_inside;  // tgid -> earliest start
  for (const auto& task : facts.header.tasks) {
    if (task.space != Space::host || !is_inside(facts.scope.role_of_task(task.id))) continue;
    auto& latest = threads_inside[{task.pid, task.start_ns}];
    latest = std::max(latest, task.id);
    const auto [entry, added] = processes_inside.try_emplace(task.tgid, task.start_ns);
    if (!added) entry->second = std::min(entry->second, task.start_ns);
  }
  std::set<std::string> lost;
  for (size_t i = 0; i < facts.header.tasks.size(); ++i) {
    const auto& task = facts.header.tasks[i];
    if (task.space != Space::host || task.kernel_thread || facts.task_served[i] == 0) continue;
    if (facts.scope.role_of_task(task.id) != Role::none) continue;
    const auto inside = threads_inside.find({task.pid, task.start_ns});
    if (inside != threads_inside.end() && inside->second > task.id) continue;
    const auto parent = processes_inside.find(task.ppid);
    if (parent != processes_inside.end() && parent->second <= task.start_ns) {
      lost.insert(fmt::format("{} ({})", task.comm, task.pid));
    }
  }
  if (lost.empty()) return guard;
  guard.outcome = Outcome::failed;
  guard.detail = fmt::format("{} processes started by the sandbox are outside its scope, the first is {}",
                             lost.size(), *lost.begin());
  return guard;
}

Guard nothing_foreign(const GuardFacts& facts) {
  Guard guard{"nothing foreign", Outcome::passed, "neither init nor hap's own agent is counted",
              ErrorKind::failed};
  for (size_t i = 0; i < facts.header.tasks.size(); ++i) {
    const auto& task = facts.header.tasks[i];
    if (task.space != Space::host || facts.task_served[i] == 0) continue;
    if (!is_inside(facts.scope.role_of_task(task.id))) continue;
    if (task.tgid <= 2 || starts_with(task.comm, "hap-agent")) {
      guard.outcome = Outcome::failed;
      guard.detail = fmt::format("{} ({}) is in the sandbox's scope, though it belongs to the machine",
                                 task.comm, task.pid);
      return guard;
    }
  }
  return guard;
}

Guard symbols(const GuardFacts& facts) {
  constexpr double most = 0.05;
  Guard guard{"symbols", Outcome::unknown, "nothing of the host's kernel ran", ErrorKind::failed};
  if (facts.hap_blocks == 0) return guard;
  const double share =
      static_cast<double>(facts.hap_unresolved_blocks) / static_cast<double>(facts.hap_blocks);
  guard.outcome = share <= most ? Outcome::passed : Outcome::failed;
  guard.detail = fmt::format("{:.1f} % of the kernel code addresses are in no known function", 100 * share);
  return guard;
}

}  // namespace

std::vector<Guard> check_guards(const GuardFacts& facts) {
  return {scope_declared(facts),    context_switches(facts), marks(facts),
          serve_windows(facts),     load_served(facts),      thread_classes(facts),
          children_followed(facts), nothing_foreign(facts),  symbols(facts)};
}

}  // namespace hap::attribute
