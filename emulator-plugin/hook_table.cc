// SPDX-License-Identifier: GPL-2.0-or-later
#include "hook_table.h"

#include <charconv>
#include <fstream>

namespace hap_plugin {
namespace {

constexpr std::pair<std::string_view, HookKind> kind_names[] = {
    {"switch_to", HookKind::switch_to},
    {"interrupt", HookKind::interrupt},
    {"interrupt_stubs", HookKind::interrupt},
    {"exception", HookKind::exception},
    {"task_again", HookKind::task_again},
    {"syscall", HookKind::syscall},
    {"queue_work", HookKind::queue_work},
    {"queue_delayed_work", HookKind::queue_delayed_work},
    {"process_work", HookKind::process_work},
    {"call_rcu", HookKind::call_rcu},
    {"rcu_batch", HookKind::rcu_batch},
    {"receive_skb", HookKind::receive_skb},
    {"receive_skb_at", HookKind::receive_skb_at},
    {"receive_list", HookKind::receive_list},
    {"napi_poll", HookKind::napi_poll},
    {"socket_receive", HookKind::socket_receive},
    {"emulate_instruction", HookKind::emulate_instruction},
    {"fetch_instruction", HookKind::fetch_instruction},
    {"exec_done", HookKind::exec_done},
    {"interrupt_return", HookKind::interrupt_return},
    {"xen_switch", HookKind::xen_switch},
    {"xen_restart", HookKind::xen_restart},
    {"xen_call", HookKind::xen_call},
    {"xen_interrupt_stubs", HookKind::xen_interrupt},
    {"xen_nmi", HookKind::xen_nmi},
    {"xen_exception", HookKind::xen_exception},
    {"xen_softirq", HookKind::xen_softirq},
    {"xen_schedule", HookKind::xen_schedule},
};

// Vector stubs are padded to this size by the kernel (IDT_ALIGN is 8 without and 16 with IBT).
constexpr uint64_t stub_alignment = 8;

bool parse_number(std::string_view text, uint64_t& number) {
  int base = 10;
  if (text.substr(0, 2) == "0x") {
    text.remove_prefix(2);
    base = 16;
  }
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() && !text.empty();
}

std::string_view next_word(std::string_view& line) {
  const size_t begin = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(begin);
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

}  // namespace

bool HookTable::load(const std::string& path, std::string& error) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != "hapmeter-hooks 1") {
    error = "not a hooks file of this version: " + path;
    return false;
  }
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (!parse_line(line, error)) return false;
  }
  return require(error);
}

bool HookTable::parse_line(std::string_view line, std::string& error) {
  std::string_view rest = line;
  const std::string_view what = next_word(rest);
  const std::string_view name = next_word(rest);
  uint64_t first = 0;
  bool good = parse_number(next_word(rest), first);
  if (good && what == "value") {
    values_[std::string(name)] = first;
  } else if (good && what == "offset") {
    offsets_[std::string(name)] = first;
  } else if (good && what == "hook") {
    uint64_t end = 0;
    good = parse_number(next_word(rest), end) && end > first && add_hook(name, first, end);
  } else {
    good = false;
  }
  if (!good) error = "bad line in the hooks file: " + std::string(line);
  return good;
}

bool HookTable::add_hook(std::string_view kind_name, uint64_t begin, uint64_t end) {
  for (const auto& [name, kind] : kind_names) {
    if (name != kind_name) continue;
    const Hook hook{kind, begin, end};
    if (kind_name == "interrupt_stubs" || kind_name == "xen_interrupt_stubs") {
      // Xen packs its stubs; nothing else is in their table, and each is one run of instructions.
      stub_tables_.push_back({hook, kind == HookKind::xen_interrupt ? 1 : stub_alignment});
      return true;
    }
    if (kind == HookKind::rcu_batch) {
      rcu_begin_ = begin;
      rcu_size_ = end - begin;
    }
    if (kind == HookKind::switch_to) has_switch_ = true;
    hooks_[begin] = hook;
    return true;
  }
  return false;
}

const Hook* HookTable::at_entry(uint64_t address) const {
  if (const auto found = hooks_.find(address); found != hooks_.end()) return &found->second;
  for (const StubTable& table : stub_tables_) {
    const Hook& hook = table.hook;
    if (address >= hook.begin && address < hook.end && (address - hook.begin) % table.alignment == 0)
      return &hook;
  }
  return nullptr;
}

uint64_t HookTable::value(const char* name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? 0 : found->second;
}

uint64_t HookTable::offset(const char* name) const {
  const auto found = offsets_.find(name);
  return found == offsets_.end() ? 0 : found->second;
}

bool HookTable::require(std::string& error) const {
  if (!has_switch_) {
    error = "the hooks file names no context-switch function";
    return false;
  }
  for (const char* name : {"preempt_count", "current_task", "softirq_bit", "hardirq_mask", "nmi_mask"}) {
    if (values_.count(name) == 0) {
      error = std::string("the hooks file lacks the value ") + name;
      return false;
    }
  }
  for (const char* name : {"task_struct.pid", "task_struct.tgid", "task_struct.comm", "task_struct.flags",
                           "task_struct.mm", "task_struct.real_parent", "task_struct.start_boottime",
                           "task_struct.cgroups", "mm_struct.mm_mt.ma_root", "vm_area_struct.vm_file"}) {
    if (offsets_.count(name) == 0) {
      error = std::string("the hooks file lacks the offset of ") + name;
      return false;
    }
  }
  return true;
}

}  // namespace hap_plugin
