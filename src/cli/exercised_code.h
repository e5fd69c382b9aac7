// From a profile to what the ledger wants to know of it: the host-kernel code that counts to the HAP, by file
// and function, and what the sandbox gives its tenant.
#pragma once

#include <string>

#include "hap/exposure.h"
#include "store/cell.h"

namespace hap::cli {

// Which of the recording's code is looked at.
struct ExercisedOptions {
  Phase phase = Phase::serve;
  HapOptions hap;
};

// What the recording says of its sandbox (conditions "sandbox.capabilities", "sandbox.devices",
// comma-separated; "sandbox.user_namespace", "sandbox.can_create_user_namespace", yes or no), else what
// sandboxes.toml of the project says of a sandbox of that name. Anything else stays unknown.
Result<ledger::SandboxFacts> sandbox_facts(const Recording& recording, const std::string& data);

// The host kernel's part of the HAP.
ledger::ExercisedCode exercised_kernel_code(const std::string& path, const store::Cell& cell,
                                            const ExercisedOptions& options = {});

// The same with what the sandbox gives its tenant; `data` is the project's data folder.
Result<ledger::ExercisedCode> exercised_code(const std::string& path, const store::Cell& cell,
                                             const std::string& data, const ExercisedOptions& options = {});

}  // namespace hap::cli
