// What the kernel-side program and the bpf collector share: shapes of the maps and numbers.
#ifndef HAP_BPF_LIVE_PROGRAM_H
#define HAP_BPF_LIVE_PROGRAM_H

// Classes are those of collect/live_collector.h, causes those of hap/recording.h, in the same order.
enum {
  HAP_CLASSES = 4,           // application, sandbox, vcpu, kernel: class number less one
  HAP_CAUSES = 8,            // process, softirq_bh, softirq, hardirq, nmi; room for two more, and:
  HAP_ON_KERNEL_THREAD = 7,  // in place of a cause of the first class: by an unwatched kernel thread or the
                             // idle task, whatever the context
  HAP_HIT_BYTES = HAP_CLASSES * HAP_CAUSES,  // of one function: a byte per (class, cause), how often
  HAP_MOST_TIMES = 255,                      // or more
  HAP_CLASS_VCPU = 3,
  HAP_CLASS_SANDBOX = 2,
  HAP_CLASS_NEVER = 255,  // in the table of threads: not even when its cgroup is watched
  HAP_THREADS = 1 << 22,  // PID_MAX_LIMIT of 64-bit kernels
  HAP_CGROUPS = 16,
  HAP_SYSTEM_CALLS = 512,  // numbers from there on are counted together in the last place
  HAP_NO_FUNCTION = 0xffffffff,
  HAP_TEXT_GRAIN = 16,  // functions begin at multiples of it; where one does not, its cookie is asked for
};

struct hap_cgroup {
  unsigned long long id;
  unsigned int level;  // 0 is the root
  unsigned int thread_class;
};

// Of one processor; written by it alone.
struct hap_processor {
  // The first two are also set to 0 as one word.
  unsigned int interrupts;  // nested hard interrupts, between irq_enter_rcu and the end of irq_exit_rcu
  unsigned int leaving;     // of these, how many are on their way out beneath a softirq
  unsigned int blind;       // the interrupt that found the tracer at work, by its depth; 0: none
  unsigned int reserved;
  unsigned long long misses_before;     // the program's own count when that interrupt began
  unsigned long long missed_interrupt;  // entries skipped within such interrupts
  unsigned int own;                     // the tracer's own rcu_read_unlock is ending; 0 or 1
  unsigned int own_reserved;
  unsigned long long own_before;        // misses less missed_interrupt when that began
  unsigned long long missed_own;        // entries skipped within: the tracer's own doing
  unsigned long long all_system_calls;  // of watched threads
  unsigned long long system_calls[HAP_CLASSES][HAP_SYSTEM_CALLS];
  unsigned long long compat_calls[HAP_CLASSES];
};

#endif
