#include "report/permitted.h"

#include <map>
#include <set>

#include "measure/seccomp_filter.h"

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

Result<bool> permitted(const std::map<int32_t, Programs>& processes, uint32_t number) {
  for (const auto& [pid, programs] : processes) {
    HAP_TRY(permission, measure::evaluate_all(programs, number, x86_64_architecture));
    if (permission != measure::Permission::denied) return true;
  }
  return false;
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

}  // namespace

std::optional<Permitted> permitted_by_filters(const Profile& profile, const Resolver& resolver) {
  if (profile.header().filters.empty()) return std::nullopt;
  Permitted result;
  const auto processes = programs_by_process(profile.header());
  const auto images = host_kernel_images(profile, resolver);
  if (!processes || images.empty()) return result;
  std::set<uint32_t> numbers;
  std::vector<ImageFunction> entries;
  for (const auto& [number, function] : images.front()->syscall_entries()) {
    const auto name = images.front()->function(function).name;
    if (name.size() >= not_implemented.size() &&
        name.substr(name.size() - not_implemented.size()) == not_implemented) {
      continue;
    }
    const auto may = permitted(*processes, number);
    if (!may) return result;
    if (!*may) continue;
    numbers.insert(number);
    entries.push_back({0, function});
  }
  if (numbers.empty()) return result;
  result.syscalls = numbers.size();
  result.functions = reachable_functions(images, entries).size();
  return result;
}

}  // namespace hap::report
