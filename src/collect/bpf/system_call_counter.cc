#include "collect/bpf/system_call_counter.h"

#include <cerrno>

#include "collect/bpf/kernel_program.h"
#include "collect/bpf/mapped_rows.h"
#include "collect/bpf/system_call_counts.h"
#include "live_program.skel.h"

namespace hap::collect {

struct SystemCallCounter::Impl {
  live_program* program = live_program__open();
  MappedRows processors;
  SystemCallCounts counts;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { live_program__destroy(program); }
};

SystemCallCounter::SystemCallCounter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SystemCallCounter::SystemCallCounter(SystemCallCounter&&) noexcept = default;
SystemCallCounter& SystemCallCounter::operator=(SystemCallCounter&&) noexcept = default;
SystemCallCounter::~SystemCallCounter() = default;

Result<SystemCallCounter> SystemCallCounter::attach() {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  libbpf_set_print(nullptr);
  auto impl = std::make_unique<Impl>();
  live_program* program = impl->program;
  if (program == nullptr) return refused_by_kernel("opening the BPF program", errno);
  bpf_program* each = nullptr;
  bpf_object__for_each_program(each, program->obj) bpf_program__set_autoload(each, false);
  bpf_program__set_autoload(program->progs.system_call_event, true);
  bpf_program__set_autoload(program->progs.thread_created, true);
  const int processors = libbpf_num_possible_cpus();
  if (processors <= 0) return Error("the number of processors is unknown");
  bpf_map__set_max_entries(program->maps.processors, static_cast<uint32_t>(processors));
  if (live_program__load(program) != 0) return refused_by_kernel("loading the BPF program", errno);
  HAP_TRY(states, MappedRows::map(program->maps.processors));
  impl->processors = std::move(states);
  for (const auto& [which, link] : {std::pair{program->progs.thread_created, &program->links.thread_created},
                                    {program->progs.system_call_event, &program->links.system_call_event}}) {
    *link = bpf_program__attach(which);
    if (*link == nullptr) return refused_by_kernel("attaching to system calls", errno);
  }
  return SystemCallCounter(std::move(impl));
}

void SystemCallCounter::arm(bool on) {
  __atomic_store_n(&impl_->program->bss->armed, on ? 1u : 0u, __ATOMIC_SEQ_CST);
}

void SystemCallCounter::watch(const std::vector<ScopedThread>& threads) {
  auto& table = impl_->program->bss->threads;
  for (const auto& thread : threads) {
    if (thread.tid <= 0 || thread.tid >= int{HAP_THREADS}) continue;
    table[static_cast<size_t>(thread.tid)] = static_cast<uint8_t>(thread.thread_class);
  }
}

uint64_t SystemCallCounter::all() const {
  uint64_t count = 0;
  for (size_t cpu = 0; cpu < impl_->processors.rows(); ++cpu) {
    count += reinterpret_cast<const hap_processor*>(impl_->processors.row(cpu))->all_system_calls;
  }
  return count;
}

void SystemCallCounter::take(const std::function<void(ThreadClass, int32_t, uint64_t)>& visit) {
  impl_->counts.take(impl_->processors, visit);
}

}  // namespace hap::collect
