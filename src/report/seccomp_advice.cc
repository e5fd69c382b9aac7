#include "report/seccomp_advice.h"

#include <algorithm>
#include <iterator>

#include "measure/syscall_names.h"

namespace hap::report {
namespace {

std::set<std::string> difference(const std::set<std::string>& from, const std::set<std::string>& what) {
  std::set<std::string> rest;
  std::set_difference(from.begin(), from.end(), what.begin(), what.end(), std::inserter(rest, rest.end()));
  return rest;
}

std::set<uint32_t> numbers_of(const std::set<std::string>& names) {
  std::set<uint32_t> numbers;
  for (const auto& name : names) {
    if (const auto number = measure::syscall_number(name)) numbers.insert(*number);
  }
  return numbers;
}

std::set<std::string> names_of(const std::set<uint32_t>& numbers) {
  std::set<std::string> names;
  for (const uint32_t number : numbers) {
    if (const auto name = measure::syscall_name(number); !name.empty()) names.emplace(name);
  }
  return names;
}

std::string filter_label(const RecordingHeader& header) {
  const auto value = [&](const char* key) {
    const auto found = header.meta.find(key);
    return found == header.meta.end() ? std::string() : found->second;
  };
  if (header.filters.empty()) return "no filter (" + value("sandbox") + ")";
  const std::string profile = value("seccomp_profile");
  return "the filter of " + value("sandbox") + (profile.empty() ? "" : " (" + profile + ")");
}

}  // namespace

std::set<std::string> SeccompAdvice::names() const {
  std::set<std::string> all = runtime;
  all.insert(unasked.begin(), unasked.end());
  all.insert(added.begin(), added.end());
  for (const auto& [name, tasks] : service) all.insert(name);
  return all;
}

Result<SeccompAdvice> advise_seccomp(const measure::NeededSyscalls& needed,
                                     const std::vector<std::string>& extra) {
  SeccompAdvice advice;
  for (const auto& [number, tasks] : needed.service) {
    advice.service[std::string(measure::syscall_name(number))] = tasks;
  }
  advice.refused = names_of(needed.refused);
  advice.unnamed = needed.unnamed;
  const auto add_missing = [&](std::string_view name, std::set<std::string>& to) {
    if (!advice.names().contains(std::string(name))) to.emplace(name);
  };
  for (const auto name : measure::unasked_syscalls()) add_missing(name, advice.unasked);
  for (const auto name : measure::runtime_syscalls()) add_missing(name, advice.runtime);
  for (const auto& name : extra) {
    if (!measure::syscall_number(name)) {
      return Error("x86-64 has no system call `" + name + "`", ErrorKind::usage);
    }
    add_missing(name, advice.added);
  }
  return advice;
}

Status compare_with_filter(SeccompAdvice& advice, const RecordingHeader& header, const KernelReach& kernel) {
  advice.against = filter_label(header);
  std::set<uint32_t> all = kernel.syscalls();
  // Without the kernel's symbols: every system call that has a name.
  for (uint32_t number = 0; !kernel.known() && number < 1024; ++number) {
    if (!measure::syscall_name(number).empty()) all.insert(number);
  }
  HAP_TRY(answers, filter_answers(header, all));
  std::set<uint32_t> before;
  std::set<std::string> restricted;
  for (const uint32_t number : all) {
    const auto answer = answers ? answers->at(number) : measure::Permission::allowed;
    if (answer != measure::Permission::denied) before.insert(number);
    if (answer == measure::Permission::conditional) restricted.emplace(measure::syscall_name(number));
  }
  const auto profile = advice.names();
  std::set<uint32_t> after = numbers_of(profile);
  std::erase_if(after, [&](uint32_t number) { return !all.contains(number); });
  advice.before.syscalls = names_of(before);
  advice.after.syscalls = names_of(after);
  advice.removed = difference(advice.before.syscalls, profile);
  advice.forbidden = difference(advice.after.syscalls, advice.before.syscalls);
  advice.widened = restricted;
  std::erase_if(advice.widened, [&](const std::string& name) { return !profile.contains(name); });
  if (!kernel.known()) return {};
  const auto functions_before = kernel.functions_behind(before);
  const auto functions_after = kernel.functions_behind(after);
  advice.before.functions = functions_before.size();
  advice.after.functions = functions_after.size();
  std::vector<ImageFunction> gone;
  std::set_difference(functions_before.begin(), functions_before.end(), functions_after.begin(),
                      functions_after.end(), std::back_inserter(gone));
  advice.removed_functions = kernel.by_subsystem(gone);
  return {};
}

}  // namespace hap::report
