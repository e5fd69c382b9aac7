// Counts the system calls of watched threads within the kernel, by two programs of bpf/live_program.bpf.c,
// for a collector that would otherwise have an event written for each of them.
//
// It needs BPF, but not kprobe multi. What is attached ends with this object or with the process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "collect/live_collector.h"
#include "hap/result.h"

namespace hap::collect {

class SystemCallCounter {
 public:
  // Errors: missing rights, a kernel without BPF or without type information; `unsupported`, with a hint.
  static Result<SystemCallCounter> attach();
  SystemCallCounter(SystemCallCounter&&) noexcept;
  SystemCallCounter& operator=(SystemCallCounter&&) noexcept;
  ~SystemCallCounter();

  // Calls count from now on, or no longer (at first).
  void arm(bool on);
  // These threads, and those that they will create.
  void watch(const std::vector<ScopedThread>& threads);
  // How many there were since attach().
  uint64_t all() const;
  // What was called since the last take(). Calls from 32-bit programs have numbers of another table and are
  // not told apart.
  void take(const std::function<void(ThreadClass, int32_t number, uint64_t count)>& visit);

 private:
  struct Impl;
  explicit SystemCallCounter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hap::collect
