#include "live/scope_finder.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "live/processes.h"

namespace hap::live {
namespace {

namespace fs = std::filesystem;
using collect::LiveScope;
using collect::ScopedThread;
using collect::ThreadClass;

constexpr const char* sentry_program = "runsc-sandbox";
constexpr const char* gofer_program = "runsc-gofer";
constexpr uint64_t kvm_run = 0xae80;  // _IO(KVMIO, 0x80)
constexpr int ioctl_number = 16;      // x86-64

std::optional<pid_t> parse_pid(const std::string& text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

// A process that holds a VM open has an anonymous inode of this name among its descriptors.
bool holds_vm(pid_t pid) {
  std::error_code failure;
  for (fs::directory_iterator entry(fmt::format("/proc/{}/fd", pid), failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code gone;
    if (fs::read_symlink(entry->path(), gone).string() == "anon_inode:kvm-vm") return true;
  }
  return false;
}

// By the names that QEMU ("CPU 0/KVM"), Firecracker ("fc_vcpu 0"), Cloud Hypervisor ("vcpu0") and crosvm give
// their vCPU threads, or by the system call the thread is in. Collectors add those that slip through, once
// they enter a guest.
bool runs_guest(pid_t tgid, pid_t tid) {
  const auto row = read_process(tid);
  if (row && (row->comm.find("/KVM") != std::string::npos || row->comm.find("vcpu") != std::string::npos)) {
    return true;
  }
  const auto call = read_file(fmt::format("/proc/{}/task/{}/syscall", tgid, tid), 1 << 12);
  unsigned long fd = 0;
  unsigned long request = 0;
  int number = -1;
  return call && std::sscanf(call->c_str(), "%d 0x%lx 0x%lx", &number, &fd, &request) == 3 &&
         number == ioctl_number && request == kvm_run;
}

std::string program_of(pid_t pid) {
  const auto arguments = arguments_of(pid);
  return arguments.empty() ? "" : fs::path(arguments[0]).filename().string();
}

}  // namespace

std::string role_of(ThreadClass thread_class) {
  switch (thread_class) {
    case ThreadClass::sandbox:
    case ThreadClass::kernel:
      return "sandbox";
    case ThreadClass::vcpu:
      return "vcpu";
    default:
      return "application";
  }
}

Result<ScopeFinder> ScopeFinder::find(const ScopeRequest& request) {
  ScopeFinder finder;
  finder.request_ = request;
  switch (request.kind) {
    case ScopeRequest::Kind::command:
    case ScopeRequest::Kind::process: {
      const auto pid = request.kind == ScopeRequest::Kind::command ? request.pid : parse_pid(request.value);
      const auto row = pid ? read_process(*pid) : std::nullopt;
      if (!row) return Error("no such process", ErrorKind::usage).at(request.value);
      if (row->kernel_thread) {
        return Error("a kernel thread is no sandbox", ErrorKind::usage).at(row->comm);
      }
      if (*pid == 1) {
        return Error("process 1 and its descendants are the whole machine", ErrorKind::usage)
            .hint("name the service's own process, its cgroup or its container");
      }
      finder.request_.pid = *pid;
      finder.title_ = row->comm;
      break;
    }
    case ScopeRequest::Kind::cgroup: {
      HAP_TRY(mounts, cgroup_mounts());
      HAP_TRY(group, find_cgroup(mounts, request.value));
      finder.title_ = fs::path(group.path).filename();
      finder.groups_.push_back(group);
      break;
    }
    case ScopeRequest::Kind::container: {
      HAP_TRY(mounts, cgroup_mounts());
      HAP_TRY(container, find_container("/", mounts, request.value));
      finder.title_ = container.name.empty() ? container.id.substr(0, 12) : container.name;
      finder.groups_ = container.cgroups;
      finder.vm_marks_.push_back(container.id);
      break;
    }
  }
  for (const FoundCgroup& group : finder.groups_) {
    if (group.v2) finder.rules_.push_back({"cgroup", group.path, "application"});
  }
  if (finder.request_.pid != 0) {
    finder.rules_.push_back({"pid", std::to_string(finder.request_.pid), "application"});
  }
  if (finder.look(true).threads.empty()) {
    return Error("there is no process in the scope", ErrorKind::usage).at(request.value);
  }
  return finder;
}

void ScopeFinder::add_thread(pid_t tid, pid_t tgid, ThreadClass thread_class) {
  threads_.push_back({tid, tgid, thread_class});
}

void ScopeFinder::add_process(pid_t pid) {
  if (!processes_.insert(pid).second || vm_processes_.contains(pid)) return;
  const std::string program = program_of(pid);
  // The gofer works for the tenant from outside its boundary: a host daemon, which live scopes leave out.
  if (program == gofer_program) return;
  const ThreadClass thread_class =
      program == sentry_program ? ThreadClass::sandbox : ThreadClass::application;
  for (const pid_t tid : threads_of(pid)) add_thread(tid, pid, thread_class);
}

void ScopeFinder::add_process_tree(pid_t root, const std::vector<ProcessRow>& all) {
  add_process(root);
  for (bool grew = true; grew;) {
    grew = false;
    for (const ProcessRow& row : all) {
      if (!processes_.contains(row.ppid) || processes_.contains(row.pid) || row.kernel_thread) continue;
      add_process(row.pid);
      grew = true;
    }
  }
}

void ScopeFinder::add_vm(pid_t pid) {
  vm_processes_.insert(pid);
  processes_.insert(pid);
  for (const pid_t tid : threads_of(pid)) {
    add_thread(tid, pid, runs_guest(pid, tid) ? ThreadClass::vcpu : ThreadClass::sandbox);
  }
}

// A VM's vCPU threads and often the VM itself are outside the container's cgroup; what ties them to it is the
// container's id on the command line.
void ScopeFinder::look_for_vms(const std::vector<ProcessRow>& all) {
  std::set<pid_t> candidates = processes_;
  if (!vm_marks_.empty()) {
    for (const ProcessRow& row : all) {
      if (row.kernel_thread || row.pid == ::getpid()) continue;
      const auto arguments = arguments_of(row.pid);
      const bool named = std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
        return argument.find(vm_marks_.front()) != std::string::npos;
      });
      if (named) candidates.insert(row.pid);
    }
  }
  for (const pid_t pid : candidates) {
    if (!holds_vm(pid)) continue;
    threads_.erase(std::remove_if(threads_.begin(), threads_.end(),
                                  [&](const ScopedThread& thread) { return thread.tgid == pid; }),
                   threads_.end());
    add_vm(pid);
  }
}

// Kernel threads carry their owner's process id in their names. Since Linux 6.4 vhost workers, and since 5.12
// io_uring's, are threads of the process itself and need no search.
void ScopeFinder::look_for_kernel_threads(const std::vector<ProcessRow>& all) {
  for (const ProcessRow& row : all) {
    if (!row.kernel_thread) continue;
    for (const char* prefix : {"vhost-", "kvm-pit/"}) {
      if (row.comm.rfind(prefix, 0) != 0) continue;
      const auto owner = parse_pid(row.comm.substr(std::string_view(prefix).size()));
      if (owner && processes_.contains(*owner)) add_thread(row.pid, row.pid, ThreadClass::kernel);
    }
  }
}

LiveScope ScopeFinder::look(bool everything) {
  threads_.clear();
  processes_.clear();
  for (const FoundCgroup& group : groups_) {
    std::set<pid_t> members;
    for (const pid_t tid : threads_in(group)) {
      if (const pid_t tgid = process_of(tid)) members.insert(tgid);
    }
    // A process with one thread in the group is watched with all its threads: VMMs and threaded groups put
    // some of them elsewhere.
    for (const pid_t pid : members) add_process(pid);
  }
  if (everything) {
    const auto all = list_processes();
    if (request_.pid != 0) add_process_tree(request_.pid, all);
    vm_processes_.clear();
    look_for_vms(all);
    look_for_kernel_threads(all);
  } else {
    for (const pid_t pid : std::set<pid_t>(vm_processes_)) add_vm(pid);
  }
  LiveScope scope;
  scope.threads = threads_;
  for (const FoundCgroup& group : groups_) {
    if (group.v2) scope.cgroups.push_back({group.path, group.id, ThreadClass::application});
  }
  scope.never = {::getpid()};
  scope.threads.erase(std::remove_if(scope.threads.begin(), scope.threads.end(),
                                     [](const ScopedThread& thread) { return thread.tgid == ::getpid(); }),
                      scope.threads.end());
  return scope;
}

std::string ScopeFinder::kind() const {
  if (has_guests()) return "vm";
  switch (request_.kind) {
    case ScopeRequest::Kind::cgroup:
      return "cgroup";
    case ScopeRequest::Kind::container:
      return "container";
    case ScopeRequest::Kind::command:
      return "command";
    default:
      return "process";
  }
}

bool ScopeFinder::ended() const {
  if (request_.pid != 0) return ::kill(request_.pid, 0) != 0 && errno == ESRCH;
  return std::all_of(groups_.begin(), groups_.end(),
                     [](const FoundCgroup& group) { return threads_in(group).empty(); });
}

}  // namespace hap::live
