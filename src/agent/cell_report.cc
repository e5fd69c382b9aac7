#include "agent/cell_report.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "sandbox/cgroup.h"
#include "sandbox/seccomp_dump.h"

namespace hap::agent {

using nlohmann::json;
namespace fs = std::filesystem;

const char* to_text(Phase phase) {
  switch (phase) {
    case Phase::setup:
      return "setup";
    case Phase::serve:
      return "serve";
    case Phase::teardown:
      return "teardown";
  }
  return "";
}

bool is_running(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return false;
  // "pid (name) state": the name may hold anything, so look behind its last parenthesis.
  const size_t end = text->rfind(')');
  return end != std::string::npos && end + 2 < text->size() && (*text)[end + 2] != 'Z';
}

std::vector<TaskFact> tasks_of_scope(const std::vector<ScopeRule>& rules) {
  std::vector<TaskFact> tasks;
  std::set<pid_t> processes;
  if (const auto group = sandbox::Cgroup::name(sandbox::scope_cgroup)) {
    for (const pid_t tgid : group->processes()) processes.insert(tgid);
  }
  for (const auto& rule : rules) {
    if (rule.kind == "pid") processes.insert(std::atoi(rule.value.c_str()));
  }
  for (const pid_t tgid : processes) {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(tgid) + "/task", code)) {
      TaskFact task;
      task.pid = std::atoi(entry.path().filename().c_str());
      task.tgid = tgid;
      const auto comm = read_file(entry.path().string() + "/comm");
      if (!comm) continue;
      task.comm = comm->substr(0, comm->find('\n'));
      tasks.push_back(std::move(task));
    }
  }
  return tasks;
}

Status check_expected_tasks(const std::vector<TaskFact>& tasks, const std::vector<std::string>& expected) {
  for (const auto& name : expected) {
    const bool there = std::any_of(tasks.begin(), tasks.end(),
                                   [&](const TaskFact& task) { return task.comm.rfind(name, 0) == 0; });
    if (there) continue;
    std::string names;
    for (const auto& task : tasks) names += (names.empty() ? "" : ", ") + task.comm;
    return Error(
        "the sandbox has no task named " + name + " (it has: " + (names.empty() ? "none" : names) + ")",
        ErrorKind::sandbox);
  }
  return {};
}

namespace {

std::string to_hex(const std::string& bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

// A rule for the process itself goes before the cgroup's.
std::string role_of(pid_t tgid, const std::vector<ScopeRule>& rules) {
  for (const auto& rule : rules) {
    if (rule.kind == "pid" && rule.value == std::to_string(tgid)) return rule.role;
  }
  for (const auto& rule : rules) {
    if (rule.kind == "cgroup" && rule.value == sandbox::scope_cgroup) return rule.role;
  }
  return "";
}

}  // namespace

ScopeFilters filters_of_scope(const std::vector<TaskFact>& tasks, const std::vector<ScopeRule>& rules) {
  ScopeFilters found;
  for (const auto& task : tasks) {
    if (task.pid != task.tgid) continue;
    const auto programs = sandbox::seccomp_filters(task.tgid);
    if (!programs) continue;
    const std::string role = role_of(task.tgid, rules);
    if (programs->empty() && !role.empty() && role != "host-daemon") ++found.unfiltered;
    for (size_t position = 0; position < programs->size(); ++position) {
      found.rows.push_back({{"pid", task.tgid},
                            {"role", role},
                            {"position", position},
                            {"program_hex", to_hex((*programs)[position])}});
    }
  }
  return found;
}

json windows_to_json(const std::vector<Window>& windows) {
  json rows = json::array();
  for (const auto& window : windows) {
    rows.push_back({{"id", window.id},
                    {"phase", to_text(window.phase)},
                    {"start_ns", window.start_ns},
                    {"end_ns", window.end_ns},
                    {"requests", window.requests}});
  }
  return rows;
}

json tasks_to_json(const std::vector<TaskFact>& tasks) {
  json rows = json::array();
  for (const auto& task : tasks)
    rows.push_back({{"pid", task.pid}, {"tgid", task.tgid}, {"comm", task.comm}});
  return rows;
}

json mappings_to_json(const std::vector<sandbox::GuestMapping>& mappings) {
  json rows = json::array();
  for (const auto& row : mappings) {
    rows.push_back({{"pid", row.pid},
                    {"comm", row.comm},
                    {"start", row.start},
                    {"end", row.end},
                    {"offset", row.offset},
                    {"inode", row.inode},
                    {"path", row.path}});
  }
  return rows;
}

}  // namespace hap::agent
