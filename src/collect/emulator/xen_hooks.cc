#include "collect/emulator/xen_hooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/file.h"
#include "base/mapped_file.h"
#include "collect/emulator/kallsyms.h"

namespace hap::collect {
namespace {

struct HookName {
  const char* kind;
  const char* function;
};

// All required: without one of them, some of Xen's code would be on the wrong account.
constexpr HookName hook_names[] = {
    {"xen_switch", "context_switch"},
    // Both end in a jump to the chosen vcpu with an empty stack.
    {"xen_restart", "continue_running"},
    {"xen_call", "lstar_enter"},
    {"xen_interrupt_stubs", "autogen_stubs"},
    {"xen_nmi", "entry_NMI"},
    // The other exceptions' entries jump to one of these two.
    {"xen_exception", "entry_PF"},
    {"xen_exception", "handle_exception"},
    {"xen_exception", "handle_ist_exception"},
    {"xen_softirq", "do_softirq"},
    {"xen_schedule", "schedule"},
};

struct ValueName {
  const char* name;
  const char* symbol;
};

constexpr ValueName value_names[] = {
    {"xen_hardware_domain", "hardware_domain"},
    {"xen_ex_table_begin", "__start___ex_table"},
    {"xen_ex_table_end", "__stop___ex_table"},
};

// As /proc/kallsyms has it: no 0x, and local symbols without their file.
std::string as_kallsyms(std::string_view map) {
  std::string text;
  text.reserve(map.size());
  while (!map.empty()) {
    const size_t end = std::min(map.find('\n'), map.size());
    std::string_view line = map.substr(0, end);
    map.remove_prefix(std::min(end + 1, map.size()));
    if (line.substr(0, 2) == "0x") line.remove_prefix(2);
    const size_t name = line.rfind(' ');
    const size_t hash = line.find('#');
    if (name != line.npos && hash != line.npos && hash > name) {
      text += line.substr(0, name + 1);
      line.remove_prefix(hash + 1);
    }
    text += line;
    text += '\n';
  }
  return text;
}

Error not_this_xen(const std::string& what) {
  return Error("the hypervisor has no " + what, ErrorKind::unsupported)
      .hint("use Debian's Xen 4.20 with its symbols");
}

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.size()};
}

}  // namespace

Result<std::string> xen_hooks_text(std::string_view xen_symbols, std::string_view kallsyms) {
  HAP_TRY(xen, Kallsyms::parse(as_kallsyms(xen_symbols)));
  HAP_TRY(kernel, Kallsyms::parse(kallsyms));
  std::string text;
  for (const ValueName& value : value_names) {
    const auto address = xen.address(value.symbol);
    if (!address) return not_this_xen(std::string("symbol ") + value.symbol);
    fmt::format_to(std::back_inserter(text), "value {} {:#x}\n", value.name, *address);
  }
  for (const HookName& hook : hook_names) {
    const auto functions = xen.functions(hook.function);
    if (functions.empty()) return not_this_xen(std::string("function ") + hook.function);
    for (const SymbolRange& range : functions) {
      fmt::format_to(std::back_inserter(text), "hook {} {:#x} {:#x}\n", hook.kind, range.begin, range.end);
    }
  }
  const auto page_table = kernel.address("init_top_pgt");
  const auto iret = kernel.functions("xen_iret");
  if (!page_table || iret.empty()) {
    return Error("the kernel cannot be Xen's dom0", ErrorKind::unsupported).hint("use Debian's full kernel");
  }
  fmt::format_to(std::back_inserter(text), "value init_top_pgt {:#x}\n", *page_table);
  fmt::format_to(std::back_inserter(text), "hook interrupt_return {:#x} {:#x}\n", iret[0].begin, iret[0].end);
  return text;
}

Result<XenText> xen_text(std::string_view xen_symbols) {
  HAP_TRY(xen, Kallsyms::parse(as_kallsyms(xen_symbols)));
  const auto begin = xen.address("_stext");
  const auto end = xen.address("_etext");
  if (!begin || !end || *begin >= *end) return not_this_xen("bounds of its text");
  return XenText{*begin, *end};
}

Status add_xen_hooks(const std::string& xen_symbols_path, const std::string& kallsyms_path,
                     const std::string& hooks_path) {
  HAP_TRY(xen, MappedFile::open(xen_symbols_path));
  HAP_TRY(kernel, MappedFile::open(kallsyms_path));
  auto text = xen_hooks_text(text_of(xen), text_of(kernel));
  if (!text) return text.error().context("preparing the emulator's plugin for this hypervisor");
  HAP_TRY(hooks, read_file(hooks_path));
  return write_file_atomic(hooks_path, hooks + *text);
}

}  // namespace hap::collect
