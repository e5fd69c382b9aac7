// Attaching the entry program to many functions at once.
//
// A kprobe-multi link holds any number of functions and cannot be changed, only closed. The kernel refuses a
// link as a whole when it refuses one of its functions, and when it has not the memory for all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap::collect {

struct EntryLink {
  UniqueFd fd;
  std::vector<uint32_t> functions;  // by number, in the order they were given in
};

struct AttachResult {
  std::vector<EntryLink> links;   // one, unless memory was short
  std::vector<uint32_t> refused;  // functions that the kernel does not let be traced, tried one by one
};

// Makes one link for these functions; returns its descriptor, or the negative error number.
using MakeLink = std::function<int(std::span<const uint32_t> functions)>;

// Attaches all of them. Where memory is short, half of them at a time; where the kernel refuses, finds whom
// by halving and attaches the others with one link. Errors: what concerns all of them alike (rights, a single
// function for which there is no memory).
Result<AttachResult> attach_all(std::span<const uint32_t> functions, const MakeLink& make_link);

// Kprobe-multi links of `program` with the function's number as its cookie. `addresses`: by number; must
// outlive the result.
MakeLink kprobe_multi_links(int program, std::span<const uint64_t> addresses);

// A link of `program` to the first function of these that the kernel has, only tried: it is closed again.
// Errors: none could be attached to.
Status attach_by_name(int program, std::span<const char* const> names);

// How many entries the kernel skipped on this link because the same processor was tracing in the same context
// already; 0 where the kernel does not say (before Linux 6.7).
Result<uint64_t> missed_entries(const EntryLink& link);

}  // namespace hap::collect
