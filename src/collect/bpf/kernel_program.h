// The kernel-side program (bpf/live_program.bpf.c), loaded, and the memory it shares with this process.
//
// What is attached hangs on descriptors of this process and on nothing else: it ends with the process,
// however that ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collect/live_collector.h"
#include "hap/result.h"

namespace hap::collect {

// Functions that the companions (see KernelProgram) are attached to, by their numbers, where they exist.
struct CompanionFunctions {
  std::optional<uint32_t> irq_enter;    // irq_enter_rcu
  std::optional<uint32_t> irq_exit;     // irq_exit_rcu
  std::optional<uint32_t> rcu_special;  // rcu_read_unlock_special, with preemptible RCU
  std::optional<uint32_t> system_call;  // x64_sys_call, since Linux 6.9
  std::optional<uint32_t> compat_call;  // ia32_sys_call
};

class KernelProgram {
 public:
  // `addresses`: of the functions, by number, ascending. Errors: `unsupported` with a hint (rights, lockdown,
  // kernel).
  static Result<KernelProgram> load(std::span<const uint64_t> addresses, const CompanionFunctions& numbers);
  KernelProgram(KernelProgram&&) noexcept;
  KernelProgram& operator=(KernelProgram&&) noexcept;
  ~KernelProgram();

  // The program for function entries; entry_links.h attaches it.
  int entry_program() const;
  // Attaches the small programs beside it: new threads, edges of interrupts, system calls.
  Status attach_companions();

  // Entries count from now on, or no longer.
  void arm(bool on);
  // Whether a function is told by the address it was entered at, which is quicker, or by its cookie (at
  // first). The address is right if that of one function known to have been entered is.
  void tell_by_address(bool on);

  // Classes of threads by thread id; HAP_CLASS_NEVER excludes one.
  std::span<uint8_t> threads();
  // Errors: more of them than the program has room for.
  Status watch_cgroups(const std::vector<ScopedCgroup>& cgroups);

  // Times the function was entered since clear(), by anybody in any context, of all processors.
  uint32_t entries(uint32_t function) const;
  // All functions that were, ascending.
  std::vector<uint32_t> entered() const;
  // Whether it was entered by a watched thread, in that context.
  bool hit(uint32_t function, Cause cause) const;
  // How often it was entered in interrupts and softirqs on top of watched threads; counts no further than
  // HAP_MOST_TIMES for each processor, class and kind.
  uint32_t times_in_interrupts(uint32_t function) const;
  // And while an unwatched kernel thread or the idle task was current, in any context; counts as far.
  uint32_t times_on_kernel_threads(uint32_t function) const;
  void for_each_hit(const std::function<void(uint32_t function, ThreadClass, Cause)>& visit) const;
  // Forgets hits and entries.
  void clear();

  // What was called since the last time this was asked.
  void take_system_calls(const std::function<void(ThreadClass, int32_t number, uint64_t count)>& visit);
  // Since loading: of watched threads, all of them.
  uint64_t all_system_calls() const;
  // Since loading: system calls that have numbers of another table and are counted together.
  uint64_t compat_calls(ThreadClass thread_class) const;

  // Entries that the kernel did not run the program for, since loading: because it was interrupted in it, and
  // what the interrupt's handler entered was skipped; the tracer's own; and for any other reason.
  struct Misses {
    int64_t interrupt = 0;
    int64_t own = 0;
    int64_t other = 0;
  };
  Result<Misses> misses() const;

 private:
  struct Impl;
  explicit KernelProgram(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Those of the names that the kernel's BTF (/sys/kernel/btf/vmlinux) has a function of.
std::set<std::string> kernel_functions_among(std::span<const std::string> names);

// Says in words why the kernel refused a BPF operation with this error number.
Error refused_by_kernel(const std::string& what, int error_number);

}  // namespace hap::collect
