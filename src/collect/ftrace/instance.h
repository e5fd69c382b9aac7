// A private tracing instance: a folder below tracefs/instances with buffers, filters and events of its own.
// The global instance, which other tools use, is never written to.
//
// The name says who made it: hapmeter-<pid>-<start time of that process, in clock ticks since boot>. So the
// next `hap` recognises and removes what a killed one left, and never one that is in use.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap::collect {

class TraceInstance {
 public:
  // `tracefs`: where it is mounted. `purpose` tells several instances of one process apart ("", "probe").
  // Errors: not allowed (lockdown, rights, read-only mount), each with what to do.
  static Result<TraceInstance> create(const std::string& tracefs, std::string_view purpose = "");
  TraceInstance(TraceInstance&& other) noexcept;
  TraceInstance& operator=(TraceInstance&&) = delete;
  ~TraceInstance();  // remove(), without a word

  const std::string& folder() const { return folder_; }

  // Replaces the content of a control file: opened with O_TRUNC, which empties filters, and written in one
  // call; written piecewise at line ends when longer than a page.
  Status write(const std::string& file, std::string_view text) const;
  // Adds to a filter. The kernel applies a filter when the file is closed, so this is one change however long
  // the text is.
  Status append(const std::string& file, std::string_view text) const;
  Result<std::string> read(const std::string& file) const;

  // Stops it and removes the folder. Errors: still in use by somebody who opened its files.
  Status remove();

 private:
  explicit TraceInstance(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;  // empty after remove()
};

// True under lockdown=confidentiality, where the kernel forbids all tracing, even to root.
bool tracing_is_locked_down();

// A failed system call on a tracing control as an Error that says why the kernel refuses and what to do about
// it: lockdown, missing rights, a read-only mount, a tracer that does not share.
Error explain_refusal(const std::string& what, int err);

// Removes the instances whose makers have ended. Gives their number. A tracefs that is not there or may not
// be written has none.
size_t remove_stale_instances(const std::string& tracefs);

// Parts of an instance's name; nothing when it is not one of ours.
struct InstanceName {
  pid_t pid = 0;
  uint64_t start_ticks = 0;
};
std::optional<InstanceName> parse_instance_name(std::string_view name);

// Field 22 of /proc/PID/stat; nothing when there is no such process.
std::optional<uint64_t> process_start_ticks(pid_t pid);

}  // namespace hap::collect
