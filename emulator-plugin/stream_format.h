// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
//
// The stream that the plugin writes and src/collect/emulator reads. Both sides include this file, which is
// why it may be used under either licence.
//
//   stream  = header chunk*                 all integers little-endian, no padding
//   header  = magic[8] version:u32 reserved:u32
//   chunk   = type:u32 length:u32 payload[length]
//   string  = length:u16 bytes
//
// Identifiers (image, block, task, actor, window) start at 1 and are defined by a chunk before they are used.
// A complete stream ends with an `end` chunk; anything else was cut short and must be refused.
#pragma once

#include <cstdint>

namespace hap::stream {

inline constexpr char magic[8] = {'H', 'A', 'P', 'S', 'T', 'R', 'M', '\n'};
inline constexpr uint32_t version = 1;

enum class Chunk : uint32_t {
  image = 1,  // id:u32 kind:u8 device:u64 inode:u64 path:string
  block = 2,  // id:u32 image:u32 address:u64 size:u32 hash:u64
  task =
      3,  // id:u32 pid:i32 tgid:i32 ppid:i32 flags:u32 start_ns:u64 cgroup_id:u64 comm:string cgroup:string
  actor = 4,         // id:u32 task:u32 cause:u8 owner:u8 owner_task:u32 owner_name:string
  window_begin = 5,  // id:u32 phase:u8
  hits = 6,          // window:u32 count:u32 (actor:u32 block:u32)[count]
  window_end = 7,    // id:u32 number:u64 (the agent's) new_blocks:u32 (never seen before in this stream)
  syscalls = 8,      // count:u32 (task:u32 phase:u8 number:i32 count:u64)[count]
  mark = 9,          // kind:u64 argument:u64 argument2:u64
  counter = 10,      // name:string value:u64
  end = 11,          // (empty)
};

enum class ImageKind : uint8_t {
  host_kernel = 1,     // kernel text and modules of the machine; addresses are virtual
  user_file = 2,       // addresses are offsets in the file
  user_anonymous = 3,  // path is a label ([anon], [vdso], ...); addresses as said at the label
  guest_kernel = 4,    // nested or paravirtualized guest, upper half; addresses are virtual
  guest_user = 5,      // nested guest, lower half; addresses are virtual
  hypervisor = 6,      // what runs beneath the machine's kernel (Xen); addresses are virtual
};

enum class Cause : uint8_t { process = 1, softirq_bh = 2, softirq = 3, hardirq = 4, nmi = 5 };

enum class Owner : uint8_t { none = 0, work = 1, rcu = 2, socket = 3, netdev = 4, emulation = 5 };

// Flags of a task.
inline constexpr uint32_t task_is_kernel_thread = 1;
inline constexpr uint32_t task_is_guest_vcpu = 2;       // pid, tgid: number of its domain
inline constexpr uint32_t task_is_hypervisor_vcpu = 4;  // the hypervisor's own: idle

// Kinds of in-band marks (hapmeter's contract with its agent).
enum class Mark : uint64_t {
  begin = 1,
  end = 2,
  phase_begin = 3,  // argument: phase
  phase_end = 4,    // argument: phase
  window = 5,       // argument: number of the window that starts here
  user = 6,
};

}  // namespace hap::stream
