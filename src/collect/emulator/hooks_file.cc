#include "collect/emulator/hooks_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/file.h"
#include "base/mapped_file.h"
#include "collect/emulator/btf_layout.h"
#include "collect/emulator/kallsyms.h"

namespace hap::collect {
namespace {

// Bits of the preempt count (include/linux/preempt.h): SOFTIRQ_OFFSET, which is set while a softirq is served
// (the bits above it only say that softirqs are disabled), HARDIRQ_MASK and NMI_MASK.
constexpr uint64_t softirq_bit = 0x100;
constexpr uint64_t hardirq_mask = 0xf0000;
constexpr uint64_t nmi_mask = 0xf00000;

struct HookName {
  const char* kind;
  const char* function;
  bool required;
};

constexpr HookName hook_names[] = {
    {"switch_to", "__switch_to_asm", true},
    {"syscall", "do_syscall_64", true},
    {"interrupt_stubs", "irq_entries_start", true},
    {"interrupt_stubs", "spurious_entries_start", false},
    {"interrupt", "asm_exc_xen_hypervisor_callback", false},
    {"interrupt", "asm_exc_nmi", false},
    // Where the kernel works for the task again before it leaves an interrupt: preemption and exit work.
    {"task_again", "preempt_schedule_irq", true},
    {"task_again", "schedule", true},
    {"task_again", "exit_to_user_mode_loop", false},
    {"task_again", "arch_do_signal_or_restart", false},
    {"task_again", "do_notify_resume", false},
    {"task_again", "task_work_run", false},
    {"task_again", "mem_cgroup_handle_over_high", false},
    {"task_again", "blkcg_maybe_throttle_current", false},
    {"task_again", "__rseq_handle_notify_resume", false},
    {"task_again", "uprobe_notify_resume", false},
    {"exec_done", "finalize_exec", false},
    {"queue_work", "__queue_work", false},
    {"queue_delayed_work", "__queue_delayed_work", false},
    {"process_work", "process_one_work", false},
    {"rcu_batch", "rcu_do_batch", false},
    {"receive_skb", "__netif_receive_skb_one_core", false},
    {"receive_skb_at", "__netif_receive_skb_core", false},
    {"receive_list", "ip_list_rcv", false},
    {"receive_list", "ipv6_list_rcv", false},
    {"napi_poll", "__napi_poll", false},
    {"socket_receive", "tcp_v4_do_rcv", false},
    {"socket_receive", "tcp_v6_do_rcv", false},
    {"socket_receive", "udp_queue_rcv_skb", false},
    {"socket_receive", "udpv6_queue_rcv_skb", false},
    {"emulate_instruction", "x86_emulate_instruction", false},
    {"fetch_instruction", "__do_insn_fetch_bytes", false},
};

struct MemberName {
  const char* name;         // what the plugin calls it
  const char* alternative;  // what other kernels call it
  bool required;
};

constexpr MemberName member_names[] = {
    {"task_struct.pid", nullptr, true},
    {"task_struct.tgid", nullptr, true},
    {"task_struct.comm", nullptr, true},
    {"task_struct.flags", nullptr, true},
    {"task_struct.mm", nullptr, true},
    {"task_struct.real_parent", nullptr, true},
    {"task_struct.start_boottime", nullptr, true},
    {"task_struct.cgroups", nullptr, true},
    {"css_set.dfl_cgrp", nullptr, true},
    {"cgroup.kn", nullptr, true},
    {"kernfs_node.id", nullptr, true},
    {"kernfs_node.name", nullptr, true},
    {"kernfs_node.parent", "kernfs_node.__parent", true},
    {"mm_struct.mm_mt.ma_root", nullptr, true},
    {"maple_range_64.pivot", nullptr, true},
    {"maple_range_64.slot", nullptr, true},
    {"maple_arange_64.pivot", nullptr, true},
    {"maple_arange_64.slot", nullptr, true},
    {"vm_area_struct.vm_start", nullptr, true},
    {"vm_area_struct.vm_end", nullptr, true},
    {"vm_area_struct.vm_pgoff", nullptr, true},
    {"vm_area_struct.vm_file", nullptr, true},
    {"vm_area_struct.vm_ops", nullptr, true},
    {"vm_area_struct.vm_private_data", nullptr, true},
    {"vm_special_mapping.name", nullptr, true},
    {"file.f_inode", nullptr, true},
    {"file.f_path.mnt", nullptr, true},
    {"file.f_path.dentry", nullptr, true},
    {"inode.i_ino", nullptr, true},
    {"inode.i_sb", nullptr, true},
    {"super_block.s_dev", nullptr, true},
    {"dentry.d_parent", nullptr, true},
    {"dentry.d_name.name", "dentry.__d_name.name", true},
    {"mount.mnt", nullptr, true},
    {"mount.mnt_parent", nullptr, true},
    {"mount.mnt_mountpoint", nullptr, true},
    {"vfsmount.mnt_root", nullptr, true},
    {"sk_buff.dev", nullptr, false},
    {"napi_struct.dev", nullptr, false},
    {"net_device.name", nullptr, false},
    {"net_device.nd_net.net", nullptr, false},
    {"net.ns.inum", nullptr, false},
    {"sock.sk_cgrp_data.cgroup", nullptr, false},
    {"module.list", nullptr, false},
    {"module.extable", nullptr, false},
    {"module.num_exentries", nullptr, false},
};

Error not_this_kernel(const std::string& what) {
  return Error("the kernel has no " + what, ErrorKind::unsupported)
      .hint("use a Debian kernel (bookworm or later) with its symbols and type information");
}

class HooksWriter {
 public:
  HooksWriter(const Kallsyms& symbols, const BtfLayout& types) : symbols_(symbols), types_(types) {
    text_ = "hapmeter-hooks 1\n";
  }

  Status write(HooksReport& report) {
    HAP_CHECK(write_values());
    HAP_CHECK(write_members(report));
    HAP_CHECK(write_functions(report));
    write_entries();
    return {};
  }

  std::string take() && { return std::move(text_); }

 private:
  void value(const char* name, uint64_t number) {
    fmt::format_to(std::back_inserter(text_), "value {} {:#x}\n", name, number);
  }

  void hook(const char* kind, const SymbolRange& range) {
    fmt::format_to(std::back_inserter(text_), "hook {} {:#x} {:#x}\n", kind, range.begin, range.end);
  }

  // Per-CPU variables: members of pcpu_hot from Linux 6.2 (commit c063a217bc07) to 6.14, variables before and
  // after.
  std::optional<uint64_t> per_cpu(const char* member, const char* variable) {
    const auto hot = symbols_.address("pcpu_hot");
    const auto offset = types_.offset(std::string("pcpu_hot.") + member);
    if (hot && offset) return *hot + *offset;
    return symbols_.address(variable);
  }

  Status write_values() {
    const auto preempt_count = per_cpu("preempt_count", "__preempt_count");
    const auto current_task = per_cpu("current_task", "current_task");
    if (!preempt_count || !current_task) return not_this_kernel("per-CPU preempt count or current task");
    value("preempt_count", *preempt_count);
    value("current_task", *current_task);
    value("softirq_bit", softirq_bit);
    value("hardirq_mask", hardirq_mask);
    value("nmi_mask", nmi_mask);

    struct Variable {
      const char* name;
      const char* symbol;
    };
    static constexpr Variable variables[] = {
        {"entry_text_begin", "__entry_text_start"},
        {"entry_text_end", "__entry_text_end"},
        {"ex_table_begin", "__start___ex_table"},
        {"ex_table_end", "__stop___ex_table"},
        {"modules", "modules"},
        {"special_mapping_vmops", "special_mapping_vmops"},
    };
    for (const Variable& variable : variables) {
      const auto address = symbols_.address(variable.symbol);
      if (!address) return not_this_kernel(std::string("symbol ") + variable.symbol);
      value(variable.name, *address);
    }
    return {};
  }

  Status write_members(HooksReport& report) {
    for (const MemberName& member : member_names) {
      auto offset = types_.offset(member.name);
      if (!offset && member.alternative != nullptr) offset = types_.offset(member.alternative);
      if (offset) {
        fmt::format_to(std::back_inserter(text_), "offset {} {}\n", member.name, *offset);
      } else if (member.required) {
        return not_this_kernel(std::string("member ") + member.name);
      } else {
        report.absent_members.emplace_back(member.name);
      }
    }
    return {};
  }

  Status write_functions(HooksReport& report) {
    for (const HookName& name : hook_names) {
      const auto functions = symbols_.functions(name.function);
      if (functions.empty() && name.required)
        return not_this_kernel(std::string("function ") + name.function);
      if (functions.empty()) report.absent_functions.emplace_back(name.function);
      for (const SymbolRange& range : functions) hook(name.kind, range);
    }
    // One function in newer kernels, where call_rcu and its lazy sibling only call it.
    const char* call_rcu = symbols_.functions("__call_rcu_common").empty() ? "call_rcu" : "__call_rcu_common";
    const auto functions = symbols_.functions(call_rcu);
    if (functions.empty()) report.absent_functions.emplace_back(call_rcu);
    for (const SymbolRange& range : functions) hook("call_rcu", range);
    return {};
  }

  // Entries of the interrupt descriptor table.
  void write_entries() {
    for (const KernelSymbol& symbol : symbols_.with_prefix("asm_sysvec_")) {
      hook("interrupt", {symbol.address, symbol.address + 1});
    }
    for (const KernelSymbol& symbol : symbols_.with_prefix("asm_exc_")) {
      // Taken care of above, or called as functions (by KVM).
      static constexpr std::string_view others[] = {"asm_exc_xen_hypervisor_callback", "asm_exc_nmi",
                                                    "asm_exc_nmi_kvm_vmx"};
      if (std::find(std::begin(others), std::end(others), symbol.name) != std::end(others)) continue;
      hook("exception", {symbol.address, symbol.address + 1});
    }
    if (const auto int80 = symbols_.address("asm_int80_emulation")) hook("exception", {*int80, *int80 + 1});
  }

  const Kallsyms& symbols_;
  const BtfLayout& types_;
  std::string text_;
};

}  // namespace

Result<std::string> hooks_text(std::string_view kallsyms, std::span<const std::byte> btf,
                               HooksReport* report) {
  HAP_TRY(symbols, Kallsyms::parse(kallsyms));
  HAP_TRY(types, BtfLayout::parse(btf));
  HooksReport ignored;
  HooksWriter writer(symbols, types);
  HAP_CHECK(writer.write(report != nullptr ? *report : ignored));
  return std::move(writer).take();
}

Result<HooksReport> write_hooks(const std::string& kallsyms_path, const std::string& btf_path,
                                const std::string& hooks_path) {
  HAP_TRY(symbols, MappedFile::open(kallsyms_path));
  HAP_TRY(btf, MappedFile::open(btf_path));
  HooksReport report;
  const auto* characters = reinterpret_cast<const char*>(symbols.bytes().data());
  auto text = hooks_text({characters, symbols.size()}, btf.bytes(), &report);
  if (!text) return text.error().context("preparing the emulator's plugin for this kernel");
  HAP_CHECK(write_file_atomic(hooks_path, *text));
  return report;
}

}  // namespace hap::collect
