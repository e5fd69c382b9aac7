// Cyclomatic complexity and direct calls of every function, from the machine code. docs/complexity.md has the
// definition and its limits.
//
//   V = edges - nodes + 2 over the basic blocks reachable from the function's entry, all exits joined in one
//     = 1 + sum over those blocks of (ways out - 1)
//
// (McCabe, A Complexity Measure, IEEE Transactions on Software Engineering SE-2(4), 1976.)
#pragma once

#include "hap/resolver.h"
#include "resolve/image_reader.h"

namespace hap::resolve {

// Fills complexity, callees and imports of the model's functions and the system call entries of a kernel.
Status analyse_code(ImageCode& image, unsigned threads, const IndexProgress& progress);

}  // namespace hap::resolve
