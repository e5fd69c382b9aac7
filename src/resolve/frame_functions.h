// Boundaries of functions from .eh_frame, which stripped programs keep for unwinding.
// Reference: Linux Standard Base Core, generic part, section 10.6 (exception frames).
#pragma once

#include <vector>

#include "hap/result.h"
#include "resolve/dwarf_unit.h"
#include "resolve/elf_file.h"

namespace hap::resolve {

// Ascending by begin; a file without .eh_frame gives none. Damage ends the list: what precedes it is
// returned.
Result<std::vector<AddressRange>> read_frame_functions(const ElfFile& elf);

}  // namespace hap::resolve
