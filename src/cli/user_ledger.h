// The user's ledger, as reports use it: `known_cves` and the exposure of recordings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/exercised_code.h"
#include "hap/exposure.h"
#include "hap/interval.h"
#include "hap/report.h"

namespace hap::cli {

class UserLedger {
 public:
  // The default database with the project's rules. Nothing imported yet is no error: the ledger is empty.
  static Result<UserLedger> open();
  // The same; a ledger that cannot be read is said on standard error and is empty, for it costs no other
  // figure.
  static UserLedger open_or_say();

  bool empty() const { return records_.empty(); }

  // The metric `known_cves`; empty when the ledger has no records of the kernel.
  std::optional<Interval> known_cves(const std::string& path, const store::Cell& cell,
                                     const ExercisedOptions& options = {}) const;

  // known_cves and exposure, for make_report(). The exposure points into this ledger.
  Status add_to(ReportOptions& options, const std::string& path, const store::Cell& cell) const;

 private:
  std::vector<ledger::Record> records_;
};

}  // namespace hap::cli
