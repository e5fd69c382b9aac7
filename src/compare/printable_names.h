// Names for a terminal.
#pragma once

#include "hap/compare.h"

namespace hap::compare {

// The same comparison with the names of sandboxes and workloads as they may be shown: control characters
// written out, at most 32 characters, different names still different.
Comparison with_printable_names(Comparison comparison);

}  // namespace hap::compare
