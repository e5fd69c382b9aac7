// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
//
// The kernel side of the bpf collector: one program for the entries of all functions, and what it needs to
// know about whom and in which context a function was entered. It delivers nothing: it sets bytes in memory
// that the collector has mapped, so there is nothing that could overflow.
//
// All cost counts, so checks that end the program come first. Types are declared with the members used only;
// the loader finds their places in the running kernel (CO-RE).
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "live_program.h"

struct task_struct {
  unsigned int flags;
  int pid;
} __attribute__((preserve_access_index));

struct pcpu_hot {
  int preempt_count;
} __attribute__((preserve_access_index));

// u64_stats_t of the kernel, whose only member is the number.
struct counter {
  __u64 value;
};

struct bpf_prog_stats {
  struct counter misses;
} __attribute__((preserve_access_index));

struct bpf_prog_aux {
  __u32 id;
} __attribute__((preserve_access_index));

struct bpf_prog {
  struct bpf_prog_aux* aux;
  struct bpf_prog_stats* stats;
} __attribute__((preserve_access_index));

struct bpf_iter__bpf_prog {
  struct bpf_prog* prog;
} __attribute__((preserve_access_index));

// The preempt count is in pcpu_hot from Linux 6.2 to 6.14, a variable of its own before and after.
extern const struct pcpu_hot pcpu_hot __ksym __weak;
extern const int __preempt_count __ksym __weak;
// Not 0 while a program runs that excludes others of its kind on this processor: ours, mostly.
extern const int bpf_prog_active __ksym __weak;
extern const unsigned long this_cpu_off __ksym __weak;

// Bits of the preempt count (include/linux/preempt.h).
enum { SERVING_SOFTIRQ = 0x100, IN_HARDIRQ = 0xf0000, IN_NMI = 0xf00000 };
enum { KERNEL_THREAD = 0x200000 };  // PF_KTHREAD of include/linux/sched.h; idle tasks have it as well
// As in hap/recording.h.
enum { BY_PROCESS, BY_SOFTIRQ_BH, BY_SOFTIRQ, BY_HARDIRQ, BY_NMI };

const volatile __u32 functions = 1;  // how many there are; a function's number is its cookie
// Numbers of the kernel's own functions by address, HAP_TEXT_GRAIN bytes a place (map `places`): the kernel
// finds a cookie by a binary search in all the link's functions, which costs more than all the rest.
const volatile __u64 text_begin = 0;
const volatile __u64 text_bytes = 0;
// Numbers of the functions that these programs are attached to themselves.
const volatile __u32 number_irq_enter = HAP_NO_FUNCTION;
const volatile __u32 number_irq_exit = HAP_NO_FUNCTION;
const volatile __u32 number_rcu_special = HAP_NO_FUNCTION;

__u32 armed = 0;
__u32 by_place = 0;  // the collector has seen that the map of places holds what this kernel needs
__u32 cgroup_count = 0;
struct hap_cgroup cgroups[HAP_CGROUPS] = {};
__u32 wanted_program = 0;        // for find_misses: its id
__u8 threads[HAP_THREADS] = {};  // class of each, by thread id; no map, which would have to be looked up
__u64 misses_address = 0;        // per-CPU address of the entry program's count of misses

// The sizes of the values depend on the number of functions and are set before loading.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, HAP_HIT_BYTES);
} hits SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} entries SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} places SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct hap_processor);
} processors SEC(".maps");

static __always_inline struct hap_processor* this_processor(void) {
  const __u32 cpu = bpf_get_smp_processor_id();
  return bpf_map_lookup_elem(&processors, &cpu);
}

// 0: not watched.
static __always_inline __u32 class_of(const struct task_struct* task) {
  __u32 class = threads[task->pid & (HAP_THREADS - 1)];
  if (class == 0) {
    for (__u32 i = 0; i < HAP_CGROUPS; ++i) {
      if (i >= cgroup_count) break;
      if (bpf_get_current_ancestor_cgroup_id(cgroups[i].level) == cgroups[i].id) {
        class = cgroups[i].thread_class;
        break;
      }
    }
  }
  return class <= HAP_CLASSES ? class : 0;
}

static __always_inline __u32 current_class(void) {
  return class_of(bpf_get_current_task_btf());
}

// Between irq_enter_rcu and the accounting that follows, and again behind it until irq_exit_rcu ends, the
// preempt count does not show the interrupt.
static __always_inline __u32 current_cause(const struct hap_processor* processor) {
  int count = 0;
  if (&pcpu_hot) {
    const struct pcpu_hot* hot = bpf_this_cpu_ptr(&pcpu_hot);
    count = hot->preempt_count;
  } else if (&__preempt_count) {
    const int* variable = bpf_this_cpu_ptr(&__preempt_count);
    count = *variable;
  }
  if (count & IN_NMI) return BY_NMI;
  if (count & IN_HARDIRQ) return BY_HARDIRQ;
  if (count & SERVING_SOFTIRQ) {
    if (processor->interrupts > processor->leaving) return BY_HARDIRQ;
    return processor->leaving ? BY_SOFTIRQ : BY_SOFTIRQ_BH;
  }
  return processor->interrupts ? BY_HARDIRQ : BY_PROCESS;
}

static __always_inline void note(__u32 function, __u32 class, __u32 cause) {
  const __u32 cpu = bpf_get_smp_processor_id();
  __u8* row = bpf_map_lookup_elem(&hits, &cpu);
  __u32 place = (class - 1) * HAP_CAUSES + cause;
  // For the verifier: what is checked must be in the register that is used.
  asm volatile("" : "+r"(place), "+r"(function));
  if (row == NULL || function >= functions) return;
  __u8* times = &row[function * HAP_HIT_BYTES + (place & (HAP_HIT_BYTES - 1))];
  if (*times != HAP_MOST_TIMES) ++*times;
}

static __always_inline __u32 entered_function(struct pt_regs* context) {
  const __u64 offset = PT_REGS_IP(context) - text_begin;
  if (by_place && offset < text_bytes) {
    const __u32 place = offset / HAP_TEXT_GRAIN;
    const __u32* number = bpf_map_lookup_elem(&places, &place);
    if (number != NULL && *number != HAP_NO_FUNCTION) return *number;
  }
  return bpf_get_attach_cookie(context);
}

SEC("kprobe.multi")
int entered(struct pt_regs* context) {
  if (!armed) return 0;
  const __u32 function = entered_function(context);
  const __u32 cpu = bpf_get_smp_processor_id();
  __u32* row = bpf_map_lookup_elem(&entries, &cpu);
  if (row == NULL || function >= functions) return 0;
  ++row[function];
  const struct task_struct* task = bpf_get_current_task_btf();
  const __u32 class = class_of(task);
  if (class == 0) {
    if (task->flags & KERNEL_THREAD) note(function, 1, HAP_ON_KERNEL_THREAD);
    return 0;
  }
  const struct hap_processor* processor = this_processor();
  if (processor == NULL) return 0;
  note(function, class, current_cause(processor));
  return 0;
}

static __always_inline int in_softirq(void) {
  if (&pcpu_hot) {
    const struct pcpu_hot* hot = bpf_this_cpu_ptr(&pcpu_hot);
    return hot->preempt_count & SERVING_SOFTIRQ;
  }
  if (&__preempt_count) {
    const int* variable = bpf_this_cpu_ptr(&__preempt_count);
    return *variable & SERVING_SOFTIRQ;
  }
  return 0;
}

// How often the kernel has skipped the entry program on this processor because one was running.
static __always_inline __u64 misses_here(void) {
  __u64 count = 0;
  if (misses_address == 0 || !&this_cpu_off) return 0;
  const unsigned long* offset = bpf_this_cpu_ptr(&this_cpu_off);
  bpf_probe_read_kernel(&count, sizeof(count), (const void*)(misses_address + *offset));
  return count;
}

static __always_inline int program_running(void) {
  if (!&bpf_prog_active) return 1;
  const int* active = bpf_this_cpu_ptr(&bpf_prog_active);
  return *active;
}

SEC("fentry/irq_enter_rcu")
int BPF_PROG(interrupt_begins) {
  struct hap_processor* processor = this_processor();
  if (processor == NULL) return 0;
  ++processor->interrupts;
  if (processor->blind == 0 && program_running()) {
    processor->blind = processor->interrupts;
    processor->misses_before = misses_here();
  }
  if (!armed) return 0;
  const __u32 class = current_class();
  if (class != 0) note(number_irq_enter, class, BY_HARDIRQ);
  return 0;
}

SEC("fentry/irq_exit_rcu")
int BPF_PROG(interrupt_leaves) {
  struct hap_processor* processor = this_processor();
  if (processor == NULL) return 0;
  if (!in_softirq()) processor->leaving = processor->interrupts;
  if (!armed) return 0;
  const __u32 class = current_class();
  if (class != 0) note(number_irq_exit, class, BY_HARDIRQ);
  return 0;
}

SEC("fexit/irq_exit_rcu")
int BPF_PROG(interrupt_ended) {
  struct hap_processor* processor = this_processor();
  if (processor == NULL) return 0;
  if (processor->blind != 0 && processor->blind == processor->interrupts) {
    processor->missed_interrupt += misses_here() - processor->misses_before;
    processor->blind = 0;
  }
  if (!in_softirq()) processor->leaving = 0;
  if (processor->interrupts > 0) --processor->interrupts;
  return 0;
}

// Where an interrupt had asked for it, the rcu_read_unlock behind the entry program does more, and enters
// functions that are then skipped. Nobody else's entries are among them.
SEC("fentry/rcu_read_unlock_special")
int BPF_PROG(rcu_special_begins) {
  struct hap_processor* processor = this_processor();
  if (processor == NULL) return 0;
  if (program_running()) {
    if (processor->own == 0 && processor->blind == 0) {
      processor->own = 1;
      processor->own_before = misses_here() - processor->missed_interrupt;
    }
    return 0;
  }
  if (!armed) return 0;
  const __u32 class = current_class();
  if (class != 0) note(number_rcu_special, class, current_cause(processor));
  return 0;
}

SEC("fexit/rcu_read_unlock_special")
int BPF_PROG(rcu_special_ended) {
  struct hap_processor* processor = this_processor();
  if (processor == NULL || processor->own == 0 || processor->blind != 0) return 0;
  processor->missed_own += misses_here() - processor->missed_interrupt - processor->own_before;
  processor->own = 0;
  return 0;
}

// A thread that begins a system call is in no interrupt: what attaching in the midst of one has left is
// forgotten here.
static __always_inline void count_system_call(__u32 number, int compat) {
  struct hap_processor* processor = this_processor();
  if (processor == NULL) return;
  *(__u64*)&processor->interrupts = 0;  // and `leaving`
  if (!armed) return;
  const __u32 class = current_class();
  if (class == 0) return;
  ++processor->all_system_calls;
  __u64 which = class - 1;
  __u64 place = number;
  asm volatile("" : "+r"(which), "+r"(place));  // as in note()
  which &= HAP_CLASSES - 1;
  if (compat) {
    ++processor->compat_calls[which];
  } else {
    if (place >= HAP_SYSTEM_CALLS) place = HAP_SYSTEM_CALLS - 1;
    ++processor->system_calls[which][place];
  }
}

SEC("fentry/x64_sys_call")
int BPF_PROG(system_call, const void* registers, unsigned int number) {
  count_system_call(number, 0);
  return 0;
}

SEC("fentry/ia32_sys_call")
int BPF_PROG(compat_call, const void* registers, unsigned int number) {
  count_system_call(number, 1);
  return 0;
}

// Where the two above do not exist (before Linux 6.9); costs more.
SEC("tp_btf/sys_enter")
int BPF_PROG(system_call_event, const void* registers, long number) {
  if (number >= 0) count_system_call(number, 0);
  return 0;
}

// Every new thread, io_uring and vhost workers included. Its entry is written whatever the parent is: pids
// are used again. A thread of a virtual machine's that is no vCPU belongs to the VMM.
SEC("tp_btf/task_newtask")
int BPF_PROG(thread_created, const struct task_struct* child) {
  const struct task_struct* parent = bpf_get_current_task_btf();
  __u8 class = threads[parent->pid & (HAP_THREADS - 1)];
  if (class == HAP_CLASS_VCPU) class = HAP_CLASS_SANDBOX;
  threads[child->pid & (HAP_THREADS - 1)] = class;
  return 0;
}

// Finds the per-CPU count of the entry program's misses: read once, before anything is attached.
SEC("iter/bpf_prog")
int find_misses(struct bpf_iter__bpf_prog* context) {
  const struct bpf_prog* program = context->prog;
  if (program == NULL || program->aux->id != wanted_program) return 0;
  misses_address = (__u64)program->stats + bpf_core_field_offset(struct bpf_prog_stats, misses);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
