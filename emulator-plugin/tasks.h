// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who runs: the kernel's tasks, their identity, and the per-task parts of the execution context.
//
// A task row's attributes never change. At every switch the identity is read again (one read of the part of
// task_struct that holds it); a reused address or pid, exec, and a move to another cgroup start a new row.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "guest_access.h"
#include "hook_table.h"
#include "stream_writer.h"

namespace hap_plugin {

// An interrupt or exception in progress on a task's kernel stack.
struct Frame {
  bool interrupt;         // false: exception, which works for the task and changes nothing
  bool task_again;        // the kernel finished the interrupt and works for the task (preemption, exit work)
  bool softirq_at_entry;  // the softirq bit when it arrived: a softirq seen later in this frame started in it
};

// A call whose extent matters (a work item, a packet's way through a device): active until the return to
// `return_address` with the stack pointer `stack_after`.
struct Region {
  uint64_t return_address;
  uint64_t stack_after;
  uint32_t owner;  // Actors::owner id
  uint8_t cause;   // of the context that entered it; in a deeper one it is not in force
  uint8_t interrupt_depth;
};

struct Actor;

struct TaskState {
  uint64_t address = 0;
  uint32_t row = 0;  // 0: not yet written to the stream
  bool kernel_thread = false;
  std::vector<Frame> frames;
  std::vector<Region> regions;

  // Actors of this row found before, by cause: with no owner, and with the last owner. Interrupts come and go
  // too often to ask a hash table each time.
  struct KnownActors {
    Actor* unowned = nullptr;
    Actor* owned = nullptr;
    uint32_t owner = 0;
  };
  std::array<KnownActors, 6> actors;

  // The identity, as of the last look.
  int32_t pid = 0;
  int32_t tgid = 0;
  uint64_t start_ns = 0;
  uint64_t mm = 0;
  uint64_t css_set = 0;
  char comm[16] = {};
};

class Tasks {
 public:
  Tasks(const HookTable& hooks, GuestAccess& guest, StreamWriter& stream);

  // The state of the task at this address, its identity looked at again. Never null.
  TaskState* look(uint64_t address);

  // Defines the task's row in the stream unless that was done; returns its id.
  uint32_t row_of(TaskState& task);

  // Makes `task` stand for a vcpu of another domain of the hypervisor, and writes its row.
  void define_vcpu(TaskState& task, uint16_t domain, uint32_t vcpu, bool guest);

  // Name and id of a struct cgroup.
  struct CgroupName {
    uint64_t id = 0;
    std::string path;
  };
  const CgroupName& cgroup(uint64_t cgroup_address);

  uint64_t rows() const { return next_row_ - 1; }

 private:
  void forget_context(TaskState& task);

  GuestAccess& guest_;
  StreamWriter& stream_;
  struct Offsets {
    uint64_t pid, tgid, comm, flags, mm, real_parent, start_boottime, cgroups;
    uint64_t dfl_cgrp, cgroup_kn, kn_id, kn_name, kn_parent;
  } at_;
  uint64_t span_begin_;
  uint64_t span_size_;
  std::unordered_map<uint64_t, TaskState> states_;
  std::unordered_map<uint64_t, std::pair<uint64_t, CgroupName>> cgroups_;  // by address; first: kernfs id
  uint32_t next_row_ = 1;
};

}  // namespace hap_plugin
