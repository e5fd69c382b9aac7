// Functions that the tracer itself runs, by name.
#pragma once

#include <array>
#include <string_view>

namespace hap::collect {

// Run by the kernel around and within the entry program and its companions. Were they traced, each entry
// would enter them again and be skipped as a recursion, and the counts of skipped entries could no longer
// tell a loss from that. They are reported as unobservable.
inline constexpr std::array<std::string_view, 11> kEntryPath{
    "migrate_disable",
    "migrate_enable",
    "__rcu_read_lock",
    "__rcu_read_unlock",
    "rcu_lockdep_current_cpu_online",
    "bpf_this_cpu_ptr",
    "bpf_per_cpu_ptr",
    "bpf_get_smp_processor_id",
    "bpf_get_current_ancestor_cgroup_id",
    // How the companions at the edges of interrupts read the count of skipped entries.
    "copy_from_kernel_nofault",
    "copy_from_kernel_nofault_allowed",
};

}  // namespace hap::collect
