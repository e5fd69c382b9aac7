// The symbol index of a lab's kernel and of the modules it has loaded.
#pragma once

#include "base/cancel.h"
#include "base/progress.h"
#include "hap/result.h"
#include "lab/lab.h"

namespace hap::cli {

// Makes the indexes that are missing, out of Debian's debug package, which is downloaded for that and removed
// again (`keep_debug` keeps it for debuggers).
Status index_lab_kernel(const lab::Lab& lab, bool keep_debug, Progress& progress, const CancelToken& cancel);

}  // namespace hap::cli
