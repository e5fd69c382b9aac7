// Writes the `hooks` file that tells the emulator's plugin where to look in one particular kernel: addresses
// of functions and variables, offsets of structure members. Its form is described in
// emulator-plugin/hook_table.h.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hap/result.h"

namespace hap::collect {

struct HooksReport {
  std::vector<std::string>
      absent_functions;  // hooks this kernel has no function for; what they serve is lost
  std::vector<std::string> absent_members;
};

// The text of the hooks file. `kallsyms`: the text of /proc/kallsyms, read with all modules loaded that will
// be used; `btf`: the bytes of /sys/kernel/btf/vmlinux. Errors: `corrupt` input; `unsupported` when the
// kernel lacks something that nothing works without.
Result<std::string> hooks_text(std::string_view kallsyms, std::span<const std::byte> btf,
                               HooksReport* report = nullptr);

// The same from files into a file, written atomically.
Result<HooksReport> write_hooks(const std::string& kallsyms_path, const std::string& btf_path,
                                const std::string& hooks_path);

}  // namespace hap::collect
