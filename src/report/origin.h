// How the sandbox's code got into the kernel: the contexts a function ran in, and the system calls that lead
// to it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hap/profile.h"
#include "hap/resolver.h"

namespace hap::report {

// Where the kernel was entered.
struct Entry {
  std::string name;      // of a system call ("sendto"), else of the function that was entered
  bool syscall = false;  // else through a pointer, an exception or an interrupt
};

struct Origin {
  std::vector<std::string> contexts;  // that it ran in, in the order of all_contexts
  // Entries that ran and from which direct calls lead to it, all the way through functions that ran; nearest
  // first.
  std::vector<Entry> entries;
};

// Of the functions of one selection. Neither profile nor resolver is kept.
class Origins {
 public:
  // `wanted` and `phase` as for Profile::select().
  Origins(const Profile& profile, const Resolver& resolver, const std::function<bool(const Account&)>& wanted,
          Phase phase);

  // The number of a function of the profile.
  Origin of(uint32_t function) const;
  // The system calls whose entries ran, sorted.
  const std::vector<std::string>& syscalls() const { return syscalls_; }

 private:
  void follow_calls(const Profile& profile, const Resolver& resolver, const Selection& selection);
  void follow_entry(uint32_t entry, uint32_t function,
                    const std::map<uint32_t, std::vector<uint32_t>>& calls);

  struct Reached {
    uint32_t entry = 0;  // position in all_
    uint32_t calls = 0;  // away from it
  };
  std::vector<uint8_t> contexts_;                 // by function: a bit for each context
  std::vector<std::vector<Reached>> reached_by_;  // by function, nearest first
  std::vector<Entry> all_;
  std::vector<std::string> syscalls_;
};

}  // namespace hap::report
