// What hap-agent does as the first process of the lab machine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::agent {

// The folder of the initramfs that the host filled: module files, `modules`, the L2 guest's initramfs.
inline constexpr const char* kInitramfsFolder = "/hap";
// Where that folder (without the outer modules) and the agent's own binary are found afterwards.
inline constexpr const char* kRunFolder = "/run/hap";

// From the initramfs to the Debian root: kernel file systems, modules, the read-only root with fresh tmpfs
// where programs write, loopback network. Returns what went wrong without being fatal.
Result<std::vector<std::string>> bring_up();

// PID 1's remaining life: forks `worker` and reaps every orphan of the machine; when the worker ends,
// says so on the console and powers off. Never returns in the parent.
[[noreturn]] void reap_forever(const std::function<int()>& worker);

}  // namespace hap::agent
