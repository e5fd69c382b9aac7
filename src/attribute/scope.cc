#include "attribute/scope.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace hap::attribute {
namespace {

constexpr size_t kernel_comm_length = 15;  // TASK_COMM_LEN less its terminator

std::optional<int32_t> decimal(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool same_comm(std::string_view rule, std::string_view comm) {
  return rule == comm || rule.substr(0, kernel_comm_length) == comm;
}

// "/a" holds "/a" and "/a/b", not "/ab"; "/" holds everything.
bool holds(std::string_view folder, std::string_view path) {
  if (folder == "/") return !path.empty();
  return path.substr(0, folder.size()) == folder &&
         (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

Scope::Scope(const RecordingHeader& header) {
  for (const auto& rule : header.scope) {
    const auto role = role_from(rule.role);
    if (!role || *role == Role::none) continue;  // guards.cc reports it
    const Rule entry{rule.value, *role};
    if (rule.kind == "cgroup") cgroups_.push_back(entry);
    if (rule.kind == "pid") pids_.push_back(entry);
    if (rule.kind == "tid") tids_.push_back(entry);
    if (rule.kind == "comm") comms_.push_back(entry);
    if (rule.kind == "kthread") kthreads_.push_back(entry);
    if (rule.kind == "netdev") netdevs_.push_back(entry);
    if (rule.kind == "image") images_.push_back(entry);
  }
  match_pids(header);
  match_tasks(header);
  refine_by_comm(header);
}

// Processes by thread group and descent. A pid is reused in time, so a child belongs to the latest process of
// that number that is not younger than itself. Rows of one thread (it changed its cgroup or name) share pid
// and start.
void Scope::match_pids(const RecordingHeader& header) {
  if (pids_.empty()) return;
  struct Process {
    uint64_t start = 0;
    Role role = Role::none;
  };
  // By thread group, in order of start: the group's leader gives the process its start.
  std::unordered_map<int32_t, std::vector<Process>> processes;
  for (const auto& task : header.tasks) {
    if (task.space != Space::host || task.kernel_thread) continue;
    auto& known = processes[task.tgid];
    if (task.pid != task.tgid && !known.empty()) continue;
    if (std::none_of(known.begin(), known.end(),
                     [&](const auto& other) { return other.start == task.start_ns; })) {
      known.push_back({task.start_ns, Role::none});
    }
  }
  for (auto& [tgid, known] : processes) {
    std::sort(known.begin(), known.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
  }
  const auto find = [&](int32_t tgid, uint64_t not_after) -> Process* {
    const auto entry = processes.find(tgid);
    if (entry == processes.end()) return nullptr;
    Process* best = &entry->second.front();
    for (auto& process : entry->second) {
      if (process.start <= not_after) best = &process;
    }
    return best;
  };
  for (const auto& rule : pids_) {
    const auto pid = decimal(rule.value);
    const auto entry = pid ? processes.find(*pid) : processes.end();
    if (entry == processes.end()) continue;
    for (auto& process : entry->second) {
      if (process.role != Role::load) process.role = rule.role;
    }
  }
  // Parents hand their role down until nothing changes; a process named by a rule of its own keeps that.
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& task : header.tasks) {
      if (task.space != Space::host || task.kernel_thread) continue;
      Process* own = find(task.tgid, task.start_ns);
      const Process* parent = find(task.ppid, task.start_ns);
      if (own != nullptr && parent != nullptr && own->role == Role::none && parent->role != Role::none) {
        own->role = parent->role;
        changed = true;
      }
    }
  }
  for (const auto& task : header.tasks) {
    if (task.space != Space::host || task.kernel_thread) continue;
    const Process* own = find(task.tgid, task.start_ns);
    if (own != nullptr && own->role != Role::none) by_pid_rule_[task.id] = own->role;
  }
}

void Scope::match_tasks(const RecordingHeader& header) {
  for (const auto& task : header.tasks) {
    // Guests run nothing but the tenant: the machine inside has no others. The hypervisor's own idle vcpu
    // works for nobody.
    if (task.space != Space::host) {
      if (task.space == Space::guest) tasks_[task.id] = Role::vcpu;
      continue;
    }
    const Role from_cgroup = task.cgroup.empty() ? Role::none : role_of_cgroup(task.cgroup);
    const auto from_pid = by_pid_rule_.find(task.id);
    Role role = from_cgroup;
    if (task.kernel_thread) {
      for (const auto& rule : kthreads_) {
        if (same_comm(rule.value, task.comm)) role = rule.role;
      }
    }
    if (from_pid != by_pid_rule_.end()) role = from_pid->second;
    for (const auto& rule : tids_) {
      if (decimal(rule.value) == task.pid) role = rule.role;
    }
    if (from_cgroup == Role::load || (from_pid != by_pid_rule_.end() && from_pid->second == Role::load)) {
      role = Role::load;
    }
    if (role != Role::none) tasks_[task.id] = role;
  }
}

void Scope::refine_by_comm(const RecordingHeader& header) {
  for (const auto& task : header.tasks) {
    const auto known = tasks_.find(task.id);
    if (known == tasks_.end() || known->second == Role::load || task.space != Space::host) continue;
    const bool named = std::any_of(tids_.begin(), tids_.end(),
                                   [&](const auto& rule) { return decimal(rule.value) == task.pid; });
    for (const auto& rule : comms_) {
      if (!named && same_comm(rule.value, task.comm)) known->second = rule.role;
    }
  }
}

Role Scope::role_of_task(uint32_t task_id) const {
  const auto known = tasks_.find(task_id);
  return known == tasks_.end() ? Role::none : known->second;
}

Role Scope::role_of_cgroup(std::string_view path) const {
  const Rule* best = nullptr;
  for (const auto& rule : cgroups_) {
    if (holds(rule.value, path) && (best == nullptr || rule.value.size() >= best->value.size())) best = &rule;
  }
  return best == nullptr ? Role::none : best->role;
}

Role Scope::role_of_netdev(std::string_view name) const {
  const auto interface = name.substr(0, name.find('@'));
  for (const auto& rule : netdevs_) {
    const bool with_namespace = rule.value.find('@') != std::string::npos;
    if (rule.value == (with_namespace ? name : interface)) return rule.role;
  }
  return Role::none;
}

Role Scope::role_of_image(std::string_view path) const {
  // The kernel shows a memfd as "/memfd:NAME" in maps; recordings label it "[memfd:NAME]".
  const auto plain = [](std::string_view name) {
    if (name.substr(0, 1) == "[" && name.substr(name.size() - 1) == "]")
      return name.substr(1, name.size() - 2);
    return name.substr(0, 7) == "/memfd:" ? name.substr(1) : name;
  };
  Role otherwise = Role::none;
  for (const auto& rule : images_) {
    if (plain(rule.value) == plain(path)) return rule.role;
    if (rule.value == "*") otherwise = rule.role;
  }
  return otherwise;
}

}  // namespace hap::attribute
