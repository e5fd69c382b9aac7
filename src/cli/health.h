// What works on this machine, what does not, why, and what to do about it: the checks behind `hap doctor`.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"

namespace hap::cli {

enum class Health { works, limited, missing };

struct Finding {
  std::string area;  // "lab", "collector", "sandbox"
  std::string name;  // "kvm-qemu"
  Health health = Health::works;
  std::string why;     // what was found, one sentence without a final stop
  std::string remedy;  // what would help; empty when nothing is needed or nothing helps
};

std::string_view to_string(Health health);

// `quick` leaves out the trials that start a machine (accelerators).
std::vector<Finding> examine(bool quick, const CancelToken& cancel);

}  // namespace hap::cli
