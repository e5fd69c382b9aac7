#include "report/hypercalls.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace hap::report {
namespace {

constexpr std::string_view hypercall_entry = "pv_hypercall";

// xen/arch/x86/traps.c: what Xen does for an instruction of the guest that faults.
bool handles_a_trap(std::string_view name) {
  static const std::set<std::string_view> handlers = {
      "do_trap",  "do_page_fault", "do_general_protection",  "do_invalid_op",
      "do_debug", "do_int3",       "do_device_not_available"};
  return handlers.contains(name);
}

const Index* hypervisor_image(const Profile& profile, const Resolver& resolver) {
  for (size_t i = 0; i < profile.images().size(); ++i) {
    if (profile.images()[i].kind == ImageKind::hypervisor && resolver.index(i) != nullptr) {
      return resolver.index(i);
    }
  }
  return nullptr;
}

}  // namespace

std::optional<Hypercalls> permitted_hypercalls(const Profile& profile, const Resolver& resolver) {
  const Index* xen = hypervisor_image(profile, resolver);
  if (xen == nullptr) return std::nullopt;
  std::vector<ImageFunction> entries;
  std::set<FunctionId> handlers;
  for (FunctionId id = 0; id < xen->function_count(); ++id) {
    const auto view = xen->function(id);
    if (!view.out_of_line) continue;
    if (handles_a_trap(view.name)) entries.push_back({0, id});
    if (view.name != hypercall_entry) continue;
    entries.push_back({0, id});
    for (const FunctionId callee : xen->callees(id)) {
      if (xen->function(callee).name.starts_with("do_")) handlers.insert(callee);
    }
  }
  if (handlers.empty()) return std::nullopt;  // not as this version of Xen has it
  return Hypercalls{handlers.size(), reachable_functions({xen}, entries).size()};
}

}  // namespace hap::report
