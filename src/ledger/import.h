// Importing: inputs -> documents -> records -> store, one transaction per input.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "ledger/format.h"
#include "ledger/input.h"
#include "ledger/store.h"

namespace hap::ledger {

struct ImportIssue {
  std::string origin;    // file, archive:member
  std::string position;  // "line 17 (byte 20311)", "/vulnerabilities/3", "byte 812"
  std::string message;
};

struct ImportReport {
  uint64_t records = 0;  // well-formed, of all inputs
  uint64_t added = 0;
  uint64_t updated = 0;
  uint64_t unchanged = 0;
  uint64_t duplicates = 0;  // the same id twice from one source in one input, with the same content
  uint64_t ignored_files = 0;
  uint64_t unchanged_inputs = 0;    // imported before, not changed since: not read again
  std::vector<ImportIssue> issues;  // what was skipped, or refused
};

struct ImportOptions {
  bool again = false;  // read an input even if it was imported before and did not change
  InputLimits limits;
  uint64_t document_bytes = uint64_t{512} << 20;  // a single JSON document larger than this is refused
  size_t line_bytes = size_t{16} << 20;
  std::function<bool()> stop;  // asked now and then; true ends the import, keeping whole inputs only
};

// Imports each input whole or not at all: when it fails (unreadable, truncated, without a single record), the
// database is as before that input, and the error is returned; inputs before it stay. Malformed records are
// skipped and listed.
Result<ImportReport> import_inputs(Store& store, const std::vector<std::string>& paths,
                                   const ImportOptions& options, Progress& progress);

// One stream of records: JSON lines or one JSON document. What fuzzing drives.
Status read_stream(const std::string& origin, ByteStream& bytes, const ImportOptions& options,
                   const std::function<Status(Record)>& take, const std::function<void(ImportIssue)>& report);

}  // namespace hap::ledger
