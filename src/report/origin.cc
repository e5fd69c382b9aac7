#include "report/origin.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace hap::report {
namespace {

const Index* host_kernel(const Profile& profile, const Resolver& resolver) {
  for (size_t image = 0; image < profile.images().size(); ++image) {
    const auto& row = profile.images()[image];
    if (row.kind == ImageKind::kernel && row.space == Space::host) return resolver.index(image);
  }
  return nullptr;
}

// "__x64_sys_sendto" -> "sendto"
std::string syscall_name(std::string_view entry) {
  const size_t at = entry.find("sys_");
  return std::string(at == std::string_view::npos ? entry : entry.substr(at + 4));
}

// The functions that ran, as the kernel's index numbers them, with their numbers in the profile.
std::unordered_map<FunctionId, uint32_t> executed(const Profile& profile, const Index& index,
                                                  const std::vector<uint32_t>& functions) {
  std::unordered_map<FunctionId, uint32_t> numbers;
  for (const uint32_t number : functions) {
    const auto& function = profile.functions()[number];
    for (const FunctionId id : index.find_functions(function.name)) {
      const auto view = index.function(id);
      if (view.out_of_line && view.file == function.file && view.line == function.line)
        numbers.emplace(id, number);
    }
  }
  return numbers;
}

}  // namespace

Origins::Origins(const Profile& profile, const Resolver& resolver,
                 const std::function<bool(const Account&)>& wanted, Phase phase)
    : contexts_(profile.functions().size()), reached_by_(profile.functions().size()) {
  for (size_t at = 0; at < std::size(all_contexts); ++at) {
    const auto here = [&](const Account& account) {
      return account.context == all_contexts[at] && wanted(account);
    };
    for (const uint32_t function : profile.functions_hit(profile.select(here, phase))) {
      contexts_[function] = static_cast<uint8_t>(contexts_[function] | 1U << at);
    }
  }
  follow_calls(profile, resolver, profile.select(wanted, phase));
}

void Origins::follow_calls(const Profile& profile, const Resolver& resolver, const Selection& selection) {
  const Index* index = host_kernel(profile, resolver);
  if (index == nullptr) return;
  const auto numbers = executed(profile, *index, profile.functions_hit(selection));
  std::map<uint32_t, std::string> syscalls;  // by function
  for (const auto& [number, entry] : index->syscall_entries()) {
    const auto found = numbers.find(entry);
    if (found != numbers.end()) syscalls.emplace(found->second, syscall_name(index->function(entry).name));
  }
  // Copies of one function are one function here. The dispatcher's calls of the system calls are left out:
  // the entry tells more than the way all of them come.
  std::map<uint32_t, std::vector<uint32_t>> calls;
  std::set<uint32_t> called;
  for (const auto& [id, number] : numbers) {
    auto& callees = calls[number];
    for (const FunctionId callee : index->callees(id)) {
      const auto found = numbers.find(callee);
      if (found == numbers.end() || syscalls.contains(found->second)) continue;
      callees.push_back(found->second);
      if (found->second != number) called.insert(found->second);
    }
  }
  for (const auto& [function, callees] : calls) {
    const auto syscall = syscalls.find(function);
    if (syscall == syscalls.end() && called.contains(function)) continue;
    const bool by_syscall = syscall != syscalls.end();
    const auto position = static_cast<uint32_t>(all_.size());
    all_.push_back({by_syscall ? syscall->second : profile.functions()[function].name, by_syscall});
    if (by_syscall) syscalls_.push_back(syscall->second);
    follow_entry(position, function, calls);
  }
  std::sort(syscalls_.begin(), syscalls_.end());
  for (auto& entries : reached_by_) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Reached& a, const Reached& b) { return a.calls < b.calls; });
  }
}

void Origins::follow_entry(uint32_t entry, uint32_t function,
                           const std::map<uint32_t, std::vector<uint32_t>>& calls) {
  std::deque<std::pair<uint32_t, uint32_t>> open = {{function, 0}};
  while (!open.empty()) {
    const auto [next, distance] = open.front();
    open.pop_front();
    auto& reached = reached_by_[next];
    if (!reached.empty() && reached.back().entry == entry) continue;
    reached.push_back({entry, distance});
    for (const uint32_t callee : calls.at(next)) open.emplace_back(callee, distance + 1);
  }
}

Origin Origins::of(uint32_t function) const {
  Origin origin;
  for (size_t at = 0; at < std::size(all_contexts); ++at) {
    if ((contexts_[function] >> at & 1U) != 0) origin.contexts.emplace_back(to_string(all_contexts[at]));
  }
  for (const auto& reached : reached_by_[function]) origin.entries.push_back(all_[reached.entry]);
  return origin;
}

}  // namespace hap::report
