// Which class each watched thread has, kept up with forks, for collectors that see thread ids.
#pragma once

#include <sys/types.h>

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "collect/live_collector.h"

namespace hap::collect {

class ThreadClasses {
 public:
  // Takes over a scope: the threads that were not known before, or had another class. Those are returned.
  std::vector<ScopedThread> update(const LiveScope& scope);

  void forked(pid_t parent, pid_t child);
  void set(pid_t tid, ThreadClass thread_class) { classes_[tid] = thread_class; }

  // Nothing: never heard of it. Class none: known not to belong.
  std::optional<ThreadClass> find(pid_t tid) const;
  // For a thread of which no fork was seen: from its process, as /proc tells, or nothing.
  std::optional<ThreadClass> ask(pid_t tid);

 private:
  std::unordered_map<pid_t, ThreadClass> classes_;    // by thread
  std::unordered_map<pid_t, ThreadClass> processes_;  // by thread group
  std::unordered_set<pid_t> never_;
};

}  // namespace hap::collect
