// Running the programs that set a sandbox up. They work for the tenant but outside its boundary, so each runs
// in the cgroup of host daemons.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/subprocess.h"
#include "hap/result.h"

namespace hap::sandbox {

// A Status that can take context in one expression.
class CommandStatus {
 public:
  CommandStatus(Status status) : status_(std::move(status)) {}  // NOLINT: implicit on purpose
  operator Status() const { return status_; }                   // NOLINT: implicit on purpose
  explicit operator bool() const { return status_.ok(); }
  const Error& error() const { return status_.error(); }
  Status context_if(const std::string& doing) const {
    if (status_) return {};
    return status_.error().context(doing);
  }

 private:
  Status status_;
};

// Runs to completion among the host daemons. A non-zero exit is an Error of kind `sandbox` with the last
// lines the program printed; a missing program one of kind `unsupported`.
CommandStatus run_command(const std::vector<std::string>& argv, const std::string& input = {},
                          std::chrono::milliseconds timeout = std::chrono::minutes(3));

// As run_command for a program that leaves others behind holding its standard output and error, which
// therefore go to the file `log`.
CommandStatus run_detaching(const std::vector<std::string>& argv, const std::string& log,
                            std::chrono::milliseconds timeout = std::chrono::minutes(3));

// The first line `argv` prints, or "" when it cannot be run.
std::string first_line_of(const std::vector<std::string>& argv);

// The last `limit` bytes of a file, trimmed; "" when it cannot be read.
std::string tail_of_file(const std::string& path, size_t limit = 2000);

// SHA-256 of a file in lower-case hexadecimal (by sha256sum, so that the static agent needs no crypto
// library);
// "" when it cannot be had.
std::string sha256_of_file(const std::string& path);

}  // namespace hap::sandbox
