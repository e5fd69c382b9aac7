#include "collect/bpf/function_choice.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

#include "base/file.h"
#include "collect/bpf/busy_functions.h"
#include "collect/bpf/own_functions.h"
#include "collect/traceable.h"

namespace hap::collect {
namespace {

bool run_by_the_tracer(const TraceableFunction& function) {
  return std::find(kEntryPath.begin(), kEntryPath.end(), function.name) != kEntryPath.end();
}

bool is_busy(const TraceableFunction& function) {
  return std::binary_search(std::begin(kBusyFunctions), std::end(kBusyFunctions), function.name);
}

void sort_by_address(std::vector<TraceableFunction>& functions) {
  std::sort(functions.begin(), functions.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  functions.erase(std::unique(functions.begin(), functions.end(),
                              [](const auto& a, const auto& b) { return a.address == b.address; }),
                  functions.end());
}

}  // namespace

std::vector<std::vector<uint32_t>> FunctionChoice::first_links() const {
  std::vector<uint32_t> others;
  std::set_difference(attachable.begin(), attachable.end(), busy.begin(), busy.end(),
                      std::back_inserter(others));
  return {others, busy};
}

Result<FunctionChoice> choose_functions() {
  HAP_TRY(tracefs, find_tracefs());
  HAP_TRY(text, read_file("/proc/kallsyms"));
  HAP_TRY(symbols, Kallsyms::parse(text));
  HAP_TRY(list, read_traceable(tracefs, symbols));
  FunctionChoice choice;
  choice.unplaced = list.unplaced.size();
  for (const uint64_t address : untraceable(symbols, list.functions)) {
    choice.unobservable.push_back({address, "notrace"});
  }
  sort_by_address(list.functions);
  const std::map<std::string, std::optional<uint32_t>*> companions{
      {"irq_enter_rcu", &choice.companions.irq_enter},
      {"irq_exit_rcu", &choice.companions.irq_exit},
      {"rcu_read_unlock_special", &choice.companions.rcu_special},
      {"x64_sys_call", &choice.companions.system_call},
      {"ia32_sys_call", &choice.companions.compat_call}};
  std::vector<std::string> names;
  for (const auto& [name, number] : companions) names.push_back(name);
  const auto typed = kernel_functions_among(names);
  for (const auto& function : list.functions) {
    const auto number = static_cast<uint32_t>(choice.addresses.size());
    choice.addresses.push_back(function.address);
    if (function.module.empty()) {
      if (typed.count(function.name) != 0) {
        *companions.at(function.name) = number;
        continue;
      }
      if (run_by_the_tracer(function)) {
        choice.unobservable.push_back({function.address, "the tracer itself runs it"});
        choice.own_names += (choice.own_names.empty() ? "" : ", ") + function.name;
        ++choice.own_functions;
        continue;
      }
      if (function.name == "__x64_sys_getppid" || (function.name == "__do_sys_getppid" && !choice.getppid)) {
        choice.getppid = number;
      }
    }
    choice.attachable.push_back(number);
    if (is_busy(function)) choice.busy.push_back(number);
  }
  if (choice.attachable.empty()) {
    return Error("the kernel lists no traceable function", ErrorKind::unsupported);
  }
  return choice;
}

}  // namespace hap::collect
