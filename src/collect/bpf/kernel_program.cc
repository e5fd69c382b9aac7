#include "collect/bpf/kernel_program.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/unique_fd.h"
#include "collect/bpf/function_places.h"
#include "collect/bpf/mapped_rows.h"
#include "collect/bpf/system_call_counts.h"
#include "live_program.h"
#include "live_program.skel.h"

namespace hap::collect {
namespace {

static_assert(static_cast<int>(ThreadClass::sandbox) == HAP_CLASS_SANDBOX);
static_assert(static_cast<int>(ThreadClass::vcpu) == HAP_CLASS_VCPU);
static_assert(kThreadClasses == HAP_CLASSES + 1);
constexpr int classes = HAP_CLASSES;
constexpr int causes = static_cast<int>(Cause::nmi) + 1;
static_assert(causes <= int{HAP_ON_KERNEL_THREAD} && int{HAP_ON_KERNEL_THREAD} < int{HAP_CAUSES});

bool locked_down() {
  const auto state = read_file("/sys/kernel/security/lockdown");
  return state && state->find("[confidentiality]") != std::string::npos;
}

// The skeleton's open, load and attach calls leave their reason in errno.
struct Skeleton {
  live_program* program = live_program__open();
  Skeleton() = default;
  Skeleton(const Skeleton&) = delete;
  Skeleton& operator=(const Skeleton&) = delete;
  ~Skeleton() { live_program__destroy(program); }
};

}  // namespace

Error refused_by_kernel(const std::string& what, int error_number) {
  Error error = Error::from_errno(what, error_number);
  if ((error_number == EPERM || error_number == EACCES) && locked_down()) {
    return std::move(std::move(error).of_kind(ErrorKind::unsupported))
        .hint(
            "this kernel runs with lockdown=confidentiality, which forbids BPF tracing: boot it without, or "
            "measure in the lab with `hap measure`");
  }
  if (error_number == EPERM || error_number == EACCES) {
    return std::move(std::move(error).of_kind(ErrorKind::unsupported))
        .hint("run as root, or with the capabilities that docs/live.md names");
  }
  if (error_number == EOPNOTSUPP || error_number == EINVAL) {
    return std::move(std::move(error).of_kind(ErrorKind::unsupported))
        .hint("the kernel lacks kprobe multi (Linux 5.18 with CONFIG_FPROBE): use `--collector ftrace`");
  }
  if (error_number == ENOENT || error_number == ESRCH) {
    return std::move(std::move(error).of_kind(ErrorKind::unsupported))
        .hint(
            "the kernel lacks type information (CONFIG_DEBUG_INFO_BTF) or a function the tracer needs: use "
            "`--collector ftrace`");
  }
  return error;
}

std::set<std::string> kernel_functions_among(std::span<const std::string> names) {
  std::set<std::string> found;
  btf* types = btf__load_vmlinux_btf();
  if (types == nullptr) return found;
  for (const auto& name : names) {
    if (btf__find_by_name_kind(types, name.c_str(), BTF_KIND_FUNC) > 0) found.insert(name);
  }
  btf__free(types);
  return found;
}

struct KernelProgram::Impl {
  Skeleton skeleton;
  MappedRows hits;
  MappedRows entries;
  MappedRows processors;
  SystemCallCounts system_calls;
  uint32_t functions = 0;

  const hap_processor& processor(size_t cpu) const {
    return *reinterpret_cast<const hap_processor*>(processors.row(cpu));
  }
  Status find_misses();
};

KernelProgram::KernelProgram(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KernelProgram::KernelProgram(KernelProgram&&) noexcept = default;
KernelProgram& KernelProgram::operator=(KernelProgram&&) noexcept = default;
KernelProgram::~KernelProgram() = default;

Result<KernelProgram> KernelProgram::load(std::span<const uint64_t> addresses,
                                          const CompanionFunctions& numbers) {
  const auto functions = static_cast<uint32_t>(std::max<size_t>(addresses.size(), 1));
  const FunctionPlaces places(addresses);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  libbpf_set_print(nullptr);
  auto impl = std::make_unique<Impl>();
  live_program* program = impl->skeleton.program;
  if (program == nullptr) return refused_by_kernel("opening the BPF program", errno);
  impl->functions = functions;
  program->rodata->functions = functions;
  program->rodata->text_begin = places.begin();
  program->rodata->text_bytes = places.numbers().size() * HAP_TEXT_GRAIN;
  program->rodata->number_irq_enter = numbers.irq_enter.value_or(HAP_NO_FUNCTION);
  program->rodata->number_irq_exit = numbers.irq_exit.value_or(HAP_NO_FUNCTION);
  program->rodata->number_rcu_special = numbers.rcu_special.value_or(HAP_NO_FUNCTION);
  bpf_program__set_autoload(program->progs.rcu_special_begins, numbers.rcu_special.has_value());
  bpf_program__set_autoload(program->progs.rcu_special_ended, numbers.rcu_special.has_value());
  const bool by_function = numbers.system_call.has_value();
  bpf_program__set_autoload(program->progs.system_call, by_function);
  bpf_program__set_autoload(program->progs.compat_call, by_function && numbers.compat_call.has_value());
  bpf_program__set_autoload(program->progs.system_call_event, !by_function);

  const int processors = libbpf_num_possible_cpus();
  if (processors <= 0) return Error("the number of processors is unknown");
  const auto rows = static_cast<uint32_t>(processors);
  bpf_map__set_max_entries(program->maps.hits, rows);
  // A power of two of functions: the verifier bounds places by their highest bit.
  bpf_map__set_value_size(program->maps.hits, std::bit_ceil(functions) * HAP_HIT_BYTES);
  bpf_map__set_max_entries(program->maps.entries, rows);
  bpf_map__set_value_size(program->maps.entries, functions * static_cast<uint32_t>(sizeof(uint32_t)));
  bpf_map__set_max_entries(program->maps.processors, rows);
  bpf_map__set_max_entries(program->maps.places,
                           static_cast<uint32_t>(std::max<size_t>(places.numbers().size(), 1)));
  if (live_program__load(program) != 0) return refused_by_kernel("loading the BPF program", errno);

  HAP_TRY(hits, MappedRows::map(program->maps.hits));
  HAP_TRY(entries, MappedRows::map(program->maps.entries));
  HAP_TRY(states, MappedRows::map(program->maps.processors));
  HAP_TRY(by_place, MappedRows::map(program->maps.places));
  for (size_t i = 0; i < places.numbers().size(); ++i) {
    *reinterpret_cast<uint32_t*>(by_place.row(i)) = places.numbers()[i];
  }
  impl->hits = std::move(hits);
  impl->entries = std::move(entries);
  impl->processors = std::move(states);
  HAP_CHECK(impl->find_misses());
  return KernelProgram(std::move(impl));
}

// The kernel counts skipped runs per program without saying in which context. The companions at the edges of
// interrupts read that count themselves, so that it can be told apart; this shows them where it is.
Status KernelProgram::Impl::find_misses() {
  live_program* program = skeleton.program;
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(bpf_program__fd(program->progs.entered), &info, &size) != 0) {
    return refused_by_kernel("asking about the BPF program", errno);
  }
  program->bss->wanted_program = info.id;
  bpf_link* link = bpf_program__attach_iter(program->progs.find_misses, nullptr);
  if (link == nullptr) return refused_by_kernel("iterating over BPF programs", errno);
  const UniqueFd iterator(bpf_iter_create(bpf_link__fd(link)));
  bpf_link__destroy(link);
  if (!iterator.valid()) return refused_by_kernel("iterating over BPF programs", errno);
  std::array<char, 64> unused;
  while (::read(iterator.get(), unused.data(), unused.size()) > 0) {
  }
  if (program->bss->misses_address == 0) return Error("the kernel does not list the BPF program just loaded");
  return {};
}

int KernelProgram::entry_program() const {
  return bpf_program__fd(impl_->skeleton.program->progs.entered);
}

Status KernelProgram::attach_companions() {
  auto& progs = impl_->skeleton.program->progs;
  auto& links = impl_->skeleton.program->links;
  const auto attach = [](bpf_program* program, bpf_link*& link) -> Status {
    if (!bpf_program__autoload(program)) return {};
    link = bpf_program__attach(program);
    if (link != nullptr) return {};
    return refused_by_kernel(std::string("attaching ") + bpf_program__section_name(program), errno);
  };
  HAP_CHECK(attach(progs.thread_created, links.thread_created));
  HAP_CHECK(attach(progs.interrupt_ended, links.interrupt_ended));
  HAP_CHECK(attach(progs.interrupt_leaves, links.interrupt_leaves));
  HAP_CHECK(attach(progs.interrupt_begins, links.interrupt_begins));
  HAP_CHECK(attach(progs.rcu_special_ended, links.rcu_special_ended));
  HAP_CHECK(attach(progs.rcu_special_begins, links.rcu_special_begins));
  HAP_CHECK(attach(progs.system_call, links.system_call));
  HAP_CHECK(attach(progs.compat_call, links.compat_call));
  return attach(progs.system_call_event, links.system_call_event);
}

void KernelProgram::arm(bool on) {
  __atomic_store_n(&impl_->skeleton.program->bss->armed, on ? 1u : 0u, __ATOMIC_SEQ_CST);
}

void KernelProgram::tell_by_address(bool on) {
  __atomic_store_n(&impl_->skeleton.program->bss->by_place, on ? 1u : 0u, __ATOMIC_SEQ_CST);
}

std::span<uint8_t> KernelProgram::threads() {
  return impl_->skeleton.program->bss->threads;
}

Status KernelProgram::watch_cgroups(const std::vector<ScopedCgroup>& cgroups) {
  auto* shared = impl_->skeleton.program->bss;
  const size_t count = cgroups.size();
  if (count > HAP_CGROUPS) {
    return std::move(Error("more than " + std::to_string(HAP_CGROUPS) + " control groups"))
        .hint("name a control group that holds them all");
  }
  __atomic_store_n(&shared->cgroup_count, 0u, __ATOMIC_SEQ_CST);
  for (size_t i = 0; i < count; ++i) {
    // "/" is level 0, "/a" level 1, "/a/b" level 2.
    const std::string& path = cgroups[i].path;
    const auto level = path == "/" ? 0 : std::count(path.begin(), path.end(), '/');
    shared->cgroups[i] = {cgroups[i].id, static_cast<uint32_t>(level),
                          static_cast<uint32_t>(cgroups[i].thread_class)};
  }
  __atomic_store_n(&shared->cgroup_count, static_cast<uint32_t>(count), __ATOMIC_SEQ_CST);
  return {};
}

uint32_t KernelProgram::entries(uint32_t function) const {
  uint32_t sum = 0;
  for (size_t cpu = 0; cpu < impl_->entries.rows(); ++cpu) {
    sum += reinterpret_cast<const uint32_t*>(impl_->entries.row(cpu))[function];
  }
  return sum;
}

std::vector<uint32_t> KernelProgram::entered() const {
  std::vector<uint32_t> functions;
  constexpr uint32_t at_once = 16;  // most have not been entered
  for (uint32_t begin = 0; begin < impl_->functions; begin += at_once) {
    const uint32_t end = std::min(begin + at_once, impl_->functions);
    uint32_t any = 0;
    for (size_t cpu = 0; cpu < impl_->entries.rows(); ++cpu) {
      const auto* row = reinterpret_cast<const uint32_t*>(impl_->entries.row(cpu));
      for (uint32_t function = begin; function < end; ++function) any |= row[function];
    }
    for (uint32_t function = begin; any != 0 && function < end; ++function) {
      if (entries(function) != 0) functions.push_back(function);
    }
  }
  return functions;
}

bool KernelProgram::hit(uint32_t function, Cause cause) const {
  for (size_t cpu = 0; cpu < impl_->hits.rows(); ++cpu) {
    const std::byte* bytes = impl_->hits.row(cpu) + size_t{function} * HAP_HIT_BYTES;
    for (int which = 0; which < classes; ++which) {
      if (bytes[which * HAP_CAUSES + static_cast<int>(cause)] != std::byte{0}) return true;
    }
  }
  return false;
}

uint32_t KernelProgram::times_in_interrupts(uint32_t function) const {
  uint32_t times = 0;
  for (size_t cpu = 0; cpu < impl_->hits.rows(); ++cpu) {
    const std::byte* bytes = impl_->hits.row(cpu) + size_t{function} * HAP_HIT_BYTES;
    for (int which = 0; which < classes; ++which) {
      for (int cause = static_cast<int>(Cause::process) + 1; cause < causes; ++cause) {
        times += std::to_integer<uint32_t>(bytes[which * HAP_CAUSES + cause]);
      }
    }
  }
  return times;
}

uint32_t KernelProgram::times_on_kernel_threads(uint32_t function) const {
  uint32_t times = 0;
  for (size_t cpu = 0; cpu < impl_->hits.rows(); ++cpu) {
    times += std::to_integer<uint32_t>(
        impl_->hits.row(cpu)[size_t{function} * HAP_HIT_BYTES + size_t{HAP_ON_KERNEL_THREAD}]);
  }
  return times;
}

void KernelProgram::for_each_hit(const std::function<void(uint32_t, ThreadClass, Cause)>& visit) const {
  for (size_t cpu = 0; cpu < impl_->hits.rows(); ++cpu) {
    for (uint32_t function = 0; function < impl_->functions; ++function) {
      const std::byte* bytes = impl_->hits.row(cpu) + size_t{function} * HAP_HIT_BYTES;
      // Nearly all are zero: eight at a time.
      for (int which = 0; which < classes; ++which) {
        static_assert(HAP_CAUSES == sizeof(uint64_t));
        uint64_t of_class = 0;
        std::memcpy(&of_class, bytes + which * HAP_CAUSES, sizeof(of_class));
        for (int cause = 0; of_class != 0 && cause < causes; ++cause) {
          if (bytes[which * HAP_CAUSES + cause] == std::byte{0}) continue;
          visit(function, static_cast<ThreadClass>(which + 1), static_cast<Cause>(cause));
        }
      }
    }
  }
}

void KernelProgram::clear() {
  impl_->hits.clear();
  impl_->entries.clear();
}

void KernelProgram::take_system_calls(const std::function<void(ThreadClass, int32_t, uint64_t)>& visit) {
  impl_->system_calls.take(impl_->processors, visit);
}

uint64_t KernelProgram::all_system_calls() const {
  uint64_t count = 0;
  for (size_t cpu = 0; cpu < impl_->processors.rows(); ++cpu) count += impl_->processor(cpu).all_system_calls;
  return count;
}

uint64_t KernelProgram::compat_calls(ThreadClass thread_class) const {
  uint64_t count = 0;
  for (size_t cpu = 0; cpu < impl_->processors.rows(); ++cpu) {
    count += impl_->processor(cpu).compat_calls[static_cast<int>(thread_class) - 1];
  }
  return count;
}

Result<KernelProgram::Misses> KernelProgram::misses() const {
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  Misses misses;
  if (bpf_obj_get_info_by_fd(entry_program(), &info, &size) != 0) {
    return refused_by_kernel("asking about the BPF program", errno);
  }
  for (size_t cpu = 0; cpu < impl_->processors.rows(); ++cpu) {
    misses.interrupt += static_cast<int64_t>(impl_->processor(cpu).missed_interrupt);
    misses.own += static_cast<int64_t>(impl_->processor(cpu).missed_own);
  }
  misses.other = static_cast<int64_t>(info.recursion_misses) - misses.interrupt - misses.own;
  return misses;
}

}  // namespace hap::collect
