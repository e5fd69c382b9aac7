#include "collect/ftrace/thread_classes.h"

#include <fmt/format.h>

#include <charconv>

#include "base/file.h"

namespace hap::collect {
namespace {

// "Tgid:\t123" -> 123
pid_t number_of(const std::string& status, std::string_view key) {
  const size_t at = status.find(key);
  if (at == std::string::npos) return 0;
  const char* begin = status.data() + at + key.size();
  pid_t value = 0;
  std::from_chars(begin, status.data() + status.size(), value);
  return value;
}

}  // namespace

std::vector<ScopedThread> ThreadClasses::update(const LiveScope& scope) {
  never_.insert(scope.never.begin(), scope.never.end());
  std::vector<ScopedThread> fresh;
  for (const ScopedThread& thread : scope.threads) {
    if (never_.contains(thread.tgid)) continue;
    auto [known, added] = classes_.try_emplace(thread.tid, thread.thread_class);
    if (added || known->second != thread.thread_class) fresh.push_back(thread);
    known->second = thread.thread_class;
    if (thread.thread_class != ThreadClass::vcpu) processes_[thread.tgid] = thread.thread_class;
  }
  return fresh;
}

void ThreadClasses::forked(pid_t parent, pid_t child) {
  const auto known = classes_.find(parent);
  if (known == classes_.end()) {
    // The number may be that of a watched thread that has ended.
    classes_.erase(child);
    return;
  }
  classes_[child] = known->second == ThreadClass::vcpu ? ThreadClass::sandbox : known->second;
}

std::optional<ThreadClass> ThreadClasses::find(pid_t tid) const {
  const auto known = classes_.find(tid);
  return known == classes_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<ThreadClass> ThreadClasses::ask(pid_t tid) {
  const auto status = tid > 0 ? read_file(fmt::format("/proc/{}/status", tid), 1 << 14)
                              : Result<std::string>(Error("the idle thread"));
  if (!status) return std::nullopt;
  const auto process = processes_.find(number_of(*status, "\nTgid:\t"));
  if (process == processes_.end()) return std::nullopt;
  classes_[tid] = process->second;
  return process->second;
}

}  // namespace hap::collect
