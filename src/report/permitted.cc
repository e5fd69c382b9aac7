#include "report/permitted.h"

#include <algorithm>

#include "report/hypercalls.h"

namespace hap::report {
namespace {

constexpr uint32_t x86_64_architecture = 0xc000003e;  // AUDIT_ARCH_X86_64
constexpr std::string_view not_implemented = "sys_ni_syscall";

using Programs = std::vector<measure::FilterProgram>;

Result<std::map<int32_t, Programs>> programs_by_process(const RecordingHeader& header) {
  std::map<int32_t, Programs> processes;
  for (const auto& filter : header.filters) {
    HAP_TRY(program, measure::parse_filter(std::as_bytes(std::span(filter.program))));
    processes[filter.pid].push_back(std::move(program));
  }
  return processes;
}

// Of several processes the attacker takes the one that may most.
Result<measure::Permission> most_lenient(const std::map<int32_t, Programs>& processes, uint32_t number) {
  auto best = measure::Permission::denied;
  for (const auto& [pid, programs] : processes) {
    HAP_TRY(permission, measure::evaluate_all(programs, number, x86_64_architecture));
    best = std::max(best, permission);
  }
  return best;
}

// The host kernel's index and its modules', the kernel first; empty without it.
std::vector<const Index*> host_kernel_images(const Profile& profile, const Resolver& resolver) {
  std::vector<const Index*> images;
  for (size_t i = 0; i < profile.images().size(); ++i) {
    const auto& image = profile.images()[i];
    const Index* index = resolver.index(i);
    if (index == nullptr || image.space != Space::host) continue;
    if (image.kind == ImageKind::kernel) images.insert(images.begin(), index);
    if (image.kind == ImageKind::module) images.push_back(index);
  }
  return images;
}

bool runs_virtual_machine(const RecordingHeader& header) {
  return std::any_of(header.scope.begin(), header.scope.end(),
                     [](const ScopeRule& rule) { return rule.role == to_string(Role::vcpu); });
}

void add_virtual_machine(const KernelReach& kernel, Permitted& permitted) {
  const auto exits = kernel.exit_handlers();
  if (exits.empty()) return;  // KVM's symbols are missing
  permitted.exits = exits.size();
  permitted.exit_functions = kernel.functions_behind(exits).size();
  permitted.ioctl_functions = kernel.functions_behind(kernel.ioctl_entries()).size();
}

}  // namespace

KernelReach::KernelReach(const Profile& profile, const Resolver& resolver)
    : images_(host_kernel_images(profile, resolver)) {}

std::set<uint32_t> KernelReach::syscalls() const {
  std::set<uint32_t> numbers;
  if (images_.empty()) return numbers;
  for (const auto& [number, function] : images_.front()->syscall_entries()) {
    const auto name = images_.front()->function(function).name;
    if (!name.ends_with(not_implemented)) numbers.insert(number);
  }
  return numbers;
}

std::vector<ImageFunction> KernelReach::functions_behind(const std::set<uint32_t>& numbers) const {
  if (images_.empty()) return {};
  std::vector<ImageFunction> entries;
  for (const auto& [number, function] : images_.front()->syscall_entries()) {
    if (numbers.contains(number)) entries.push_back({0, function});
  }
  return reachable_functions(images_, entries);
}

std::vector<ImageFunction> KernelReach::functions_behind(const std::vector<ImageFunction>& entries) const {
  return images_.empty() ? std::vector<ImageFunction>() : reachable_functions(images_, entries);
}

std::vector<ImageFunction> KernelReach::named(
    const std::function<bool(std::string_view, std::string_view)>& wanted) const {
  std::vector<ImageFunction> found;
  for (uint32_t image = 0; image < images_.size(); ++image) {
    const Index& index = *images_[image];
    if (!index.image_name().starts_with("kvm")) continue;
    for (FunctionId id = 0; id < index.function_count(); ++id) {
      const auto view = index.function(id);
      if (view.out_of_line && wanted(index.image_name(), view.name)) found.push_back({image, id});
    }
  }
  return found;
}

std::vector<ImageFunction> KernelReach::exit_handlers() const {
  return named([](std::string_view image, std::string_view function) {
    if (image == "kvm_amd") return function.ends_with("_interception");
    if (image == "kvm_intel") return function.starts_with("handle_");
    return image == "kvm" && function.starts_with("kvm_emulate_");
  });
}

std::vector<ImageFunction> KernelReach::ioctl_entries() const {
  static const std::set<std::string_view> entries = {"kvm_dev_ioctl", "kvm_vm_ioctl", "kvm_vcpu_ioctl",
                                                     "kvm_device_ioctl"};
  return named([](std::string_view, std::string_view function) { return entries.contains(function); });
}

std::map<std::string, uint64_t> KernelReach::by_subsystem(const std::vector<ImageFunction>& functions) const {
  std::map<std::string, uint64_t> counts;
  for (const auto& each : functions) {
    const auto view = images_[each.image]->function(each.function);
    std::string name = view.assembly ? "[asm]" : "[no source]";
    if (!view.assembly && !view.file.empty()) name = subsystem_of_path(view.file);
    ++counts[name];
  }
  return counts;
}

Result<std::optional<std::map<uint32_t, measure::Permission>>> filter_answers(
    const RecordingHeader& header, const std::set<uint32_t>& numbers) {
  std::optional<std::map<uint32_t, measure::Permission>> answers;
  if (header.filters.empty()) return answers;
  HAP_TRY(processes, programs_by_process(header));
  answers.emplace();
  for (const uint32_t number : numbers) {
    HAP_TRY(permission, most_lenient(processes, number));
    answers->emplace(number, permission);
  }
  return answers;
}

namespace {

// A process of the sandbox was asked for its filters and has none: it may make every system call.
bool somebody_is_unfiltered(const Profile& profile) {
  const std::string count = profile.meta("unfiltered_processes");
  return !count.empty() && count != "0";
}

std::set<uint32_t> permitted_syscalls(const Profile& profile, const KernelReach& kernel) {
  if (somebody_is_unfiltered(profile)) return kernel.syscalls();
  std::set<uint32_t> numbers;
  const auto answers = filter_answers(profile.header(), kernel.syscalls());
  if (!answers || !*answers) return numbers;
  for (const auto& [number, permission] : **answers) {
    if (permission != measure::Permission::denied) numbers.insert(number);
  }
  return numbers;
}

}  // namespace

std::optional<Permitted> permitted_surface(const Profile& profile, const Resolver& resolver) {
  Permitted result;
  const auto hypercalls = permitted_hypercalls(profile, resolver);
  if (hypercalls) {
    result.hypercalls = hypercalls->handlers;
    result.hypercall_functions = hypercalls->functions;
  }
  if (profile.header().filters.empty() && !somebody_is_unfiltered(profile)) {
    return hypercalls ? std::optional(result) : std::nullopt;
  }
  result.unfiltered = somebody_is_unfiltered(profile);
  const KernelReach kernel(profile, resolver);
  const auto numbers = permitted_syscalls(profile, kernel);
  if (numbers.empty()) return result;
  result.syscalls = numbers.size();
  result.functions = kernel.functions_behind(numbers).size();
  if (runs_virtual_machine(profile.header())) add_virtual_machine(kernel, result);
  return result;
}

}  // namespace hap::report
