// Every sandbox hapmeter knows: the rows of `hap list sandboxes`, and how to make one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hap/result.h"
#include "sandbox/sandbox.h"

namespace hap::sandbox {

struct Entry {
  std::string name;
  std::string summary;    // one line
  std::string isolation;  // what separates the tenant from the host, one line
  std::vector<Requirement> requirements;
  // Set when the sandbox cannot be had in the lab machine; says why.
  std::string unavailable;
  // What must run beneath the lab machine's kernel: "xen", or "" for nothing.
  std::string hypervisor = {};
};

// In the order of design: by what separates tenant and host.
const std::vector<Entry>& catalogue();
const Entry* find_entry(const std::string& name);

// Makes the sandbox `name`. Errors: `usage` for an unknown name or an option the sandbox does not take (the
// hint lists what exists), `unsupported` for one that cannot be had here.
Result<std::unique_ptr<Sandbox>> make_sandbox(const std::string& name, const Options& options);

// Whether its tenant runs in a guest of its own, on this machine's virtualization or beside it.
bool runs_a_guest(const Entry& entry);

// The requirements that this machine does not meet (programs on PATH, files, devices); kernel features are
// only found out by starting.
std::vector<Requirement> unmet_requirements(const Entry& entry);

}  // namespace hap::sandbox
