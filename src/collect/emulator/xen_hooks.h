// The part of the hooks file that is about Xen beneath the kernel: from its symbols, and from those of the
// kernel that is its dom0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap::collect {

struct XenText {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Lines to append to the hooks file. `xen_symbols`: the text of xen-syms.map, lines "0xADDRESS TYPE
// [FILE#]NAME". `kallsyms`: of dom0's kernel. Errors: `corrupt` input; `unsupported` when something is
// missing without which domains or Xen's contexts could not be told apart.
Result<std::string> xen_hooks_text(std::string_view xen_symbols, std::string_view kallsyms);

// Xen's own text; what it executes elsewhere, it made at run time.
Result<XenText> xen_text(std::string_view xen_symbols);

// Appends to the hooks file.
Status add_xen_hooks(const std::string& xen_symbols_path, const std::string& kallsyms_path,
                     const std::string& hooks_path);

}  // namespace hap::collect
