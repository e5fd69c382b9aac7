// SPDX-License-Identifier: GPL-2.0-or-later
#include "tasks.h"

#include <algorithm>
#include <cstring>

namespace hap_plugin {
namespace {
constexpr uint32_t pf_kthread = 0x00200000;
constexpr size_t comm_size = 16;
constexpr int deepest_cgroup = 64;

template <typename T>
T field(const uint8_t* bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof(T));
  return value;
}
}  // namespace

Tasks::Tasks(const HookTable& hooks, GuestAccess& guest, StreamWriter& stream)
    : guest_(guest), stream_(stream) {
  at_ = {hooks.offset("task_struct.pid"),
         hooks.offset("task_struct.tgid"),
         hooks.offset("task_struct.comm"),
         hooks.offset("task_struct.flags"),
         hooks.offset("task_struct.mm"),
         hooks.offset("task_struct.real_parent"),
         hooks.offset("task_struct.start_boottime"),
         hooks.offset("task_struct.cgroups"),
         hooks.offset("css_set.dfl_cgrp"),
         hooks.offset("cgroup.kn"),
         hooks.offset("kernfs_node.id"),
         hooks.offset("kernfs_node.name"),
         hooks.offset("kernfs_node.parent")};
  const auto [low, high] =
      std::minmax({at_.pid, at_.tgid, at_.mm, at_.start_boottime, at_.cgroups, at_.comm});
  span_begin_ = low;
  span_size_ = high + comm_size - low;
}

TaskState* Tasks::look(uint64_t address) {
  TaskState& task = states_[address];
  task.address = address;
  const uint8_t* span = guest_.read_bytes(address + span_begin_, span_size_);
  if (span == nullptr) return &task;
  const auto pid = field<int32_t>(span, at_.pid - span_begin_);
  const auto start_ns = field<uint64_t>(span, at_.start_boottime - span_begin_);
  const auto mm = field<uint64_t>(span, at_.mm - span_begin_);
  const auto css_set = field<uint64_t>(span, at_.cgroups - span_begin_);
  const uint8_t* comm = span + at_.comm - span_begin_;
  const bool same_task = pid == task.pid && start_ns == task.start_ns;
  if (same_task && mm == task.mm && css_set == task.css_set && std::memcmp(comm, task.comm, comm_size) == 0) {
    return &task;
  }
  // An exiting task drops its mm, then its cgroup; it is still the same one.
  const bool exiting = same_task && mm == 0 && std::memcmp(comm, task.comm, comm_size) == 0;
  if (!same_task) {
    forget_context(task);
    task.pid = pid;
    task.tgid = field<int32_t>(span, at_.tgid - span_begin_);
    task.start_ns = start_ns;
  }
  task.mm = mm;
  task.css_set = css_set;
  std::memcpy(task.comm, comm, comm_size);
  if (!exiting) {
    task.row = 0;
    task.kernel_thread = (guest_.read_u32(address + at_.flags).value_or(0) & pf_kthread) != 0;
  }
  return &task;
}

void Tasks::forget_context(TaskState& task) {
  task.frames.clear();
  task.regions.clear();
  task.row = 0;
}

uint32_t Tasks::row_of(TaskState& task) {
  if (task.row != 0) return task.row;
  task.row = next_row_++;
  task.actors = {};

  int32_t ppid = 0;
  if (const auto parent = guest_.read_u64(task.address + at_.real_parent)) {
    ppid = static_cast<int32_t>(guest_.read_u32(*parent + at_.tgid).value_or(0));
  }
  CgroupName cgroup_name;
  if (task.css_set != 0 && at_.cgroup_kn != 0) {
    if (const auto cgroup_address = guest_.read_u64(task.css_set + at_.dfl_cgrp))
      cgroup_name = cgroup(*cgroup_address);
  }
  stream_.begin(hap::stream::Chunk::task);
  stream_.u32(task.row);
  stream_.u32(static_cast<uint32_t>(task.pid));
  stream_.u32(static_cast<uint32_t>(task.tgid));
  stream_.u32(static_cast<uint32_t>(ppid));
  stream_.u32(task.kernel_thread ? hap::stream::task_is_kernel_thread : 0);
  stream_.u64(task.start_ns);
  stream_.u64(cgroup_name.id);
  stream_.string({task.comm, strnlen(task.comm, comm_size)});
  stream_.string(cgroup_name.path);
  stream_.end();
  return task.row;
}

void Tasks::define_vcpu(TaskState& task, uint16_t domain, uint32_t vcpu, bool guest) {
  task.row = next_row_++;
  task.pid = task.tgid = domain;
  stream_.begin(hap::stream::Chunk::task);
  stream_.u32(task.row);
  stream_.u32(domain);
  stream_.u32(domain);
  stream_.u32(0);
  stream_.u32(guest ? hap::stream::task_is_guest_vcpu : hap::stream::task_is_hypervisor_vcpu);
  stream_.u64(0);
  stream_.u64(0);
  // As Xen prints vcpus.
  stream_.string("d" + (guest ? std::to_string(domain) : "[IDLE]") + "v" + std::to_string(vcpu));
  stream_.string({});
  stream_.end();
}

const Tasks::CgroupName& Tasks::cgroup(uint64_t cgroup_address) {
  const uint64_t node = guest_.read_u64(cgroup_address + at_.cgroup_kn).value_or(0);
  const uint64_t id = node == 0 ? 0 : guest_.read_u64(node + at_.kn_id).value_or(0);
  auto& [known_id, name] = cgroups_[cgroup_address];
  if (known_id == id && id != 0) return name;
  known_id = id;
  name = {id, {}};
  // From the cgroup up to the root, whose name is empty.
  uint64_t at = node;
  for (int depth = 0; at != 0 && depth < deepest_cgroup; ++depth) {
    const uint64_t parent = guest_.read_u64(at + at_.kn_parent).value_or(0);
    if (parent == 0) break;
    const uint64_t text = guest_.read_u64(at + at_.kn_name).value_or(0);
    name.path.insert(0, "/" + guest_.read_string(text, 255));
    at = parent;
  }
  if (name.path.empty() && node != 0) name.path = "/";
  return name;
}

}  // namespace hap_plugin
