// The guards: checks against the ways in which a measurement silently becomes wrong. Each has a test that
// breaks a recording on purpose (tests/unit/attribute_guards_test.cc).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attribute/scope.h"
#include "hap/profile.h"

namespace hap::attribute {

struct GuardFacts {
  const RecordingHeader& header;
  const Scope& scope;
  std::span<const AccountTotal> accounts;
  // By position in header.tasks: the task itself (no interrupt on top of it) ran in phase serve.
  const std::vector<uint8_t>& task_served;
  uint64_t hap_blocks = 0;             // of the HAP in phase serve
  uint64_t hap_unresolved_blocks = 0;  // of them in no known function
};

std::vector<Guard> check_guards(const GuardFacts& facts);

}  // namespace hap::attribute
