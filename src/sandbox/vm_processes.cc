#include "sandbox/vm_processes.h"

#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace hap::sandbox {
namespace {

namespace fs = std::filesystem;

std::string first_line(const std::string& path) {
  const auto text = read_file(path);
  return text ? text->substr(0, text->find('\n')) : "";
}

bool holds_virtual_machine(const std::string& process) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(process + "/fd", code)) {
    if (fs::read_symlink(entry.path(), code).string() == "anon_inode:kvm-vm") return true;
  }
  return false;
}

bool is_named_like_vcpu(const std::string& comm) {
  const bool qemu = comm.rfind("CPU ", 0) == 0 && comm.find("/KVM") != std::string::npos;
  return qemu || comm.rfind("fc_vcpu", 0) == 0 || comm.rfind("vcpu", 0) == 0;
}

std::vector<pid_t> vcpus_of(const std::string& process) {
  std::vector<pid_t> vcpus;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(process + "/task", code)) {
    const std::string thread = entry.path().string();
    const auto stack = read_file(thread + "/stack");
    if (is_named_like_vcpu(first_line(thread + "/comm")) ||
        (stack && stack->find("kvm_vcpu_ioctl") != std::string::npos)) {
      vcpus.push_back(std::atoi(entry.path().filename().c_str()));
    }
  }
  return vcpus;
}

}  // namespace

std::set<pid_t> all_processes(const std::string& proc) {
  std::set<pid_t> pids;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(proc, code)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0) pids.insert(pid);
  }
  return pids;
}

std::vector<VirtualMachine> virtual_machines(const std::set<pid_t>& candidates, const std::string& proc) {
  std::vector<VirtualMachine> machines;
  for (const pid_t pid : candidates) {
    const std::string process = proc + "/" + std::to_string(pid);
    if (holds_virtual_machine(process)) {
      machines.push_back({pid, first_line(process + "/comm"), vcpus_of(process)});
    }
  }
  return machines;
}

std::vector<ScopeRule> scope_of(const std::vector<VirtualMachine>& machines) {
  std::vector<ScopeRule> rules;
  for (const auto& machine : machines) {
    rules.push_back({"pid", std::to_string(machine.pid), "sandbox"});
    for (const pid_t vcpu : machine.vcpus) rules.push_back({"tid", std::to_string(vcpu), "vcpu"});
  }
  return rules;
}

}  // namespace hap::sandbox
