#include "cli/user_ledger.h"

#include <filesystem>

#include "base/paths.h"
#include "cli/terminal.h"
#include "ledger/book.h"

namespace hap::cli {
namespace {

std::optional<Interval> interval_of(const std::optional<ledger::KnownCves>& known) {
  if (!known) return std::nullopt;
  return Interval{static_cast<double>(known->value), static_cast<double>(known->low),
                  static_cast<double>(known->high)};
}

}  // namespace

Result<UserLedger> UserLedger::open() {
  UserLedger ledger;
  HAP_TRY(database, ledger::default_path());
  std::error_code ignored;
  if (!std::filesystem::exists(database, ignored)) return ledger;
  HAP_TRY(data, data_dir());
  ledger::BookOptions options;
  options.database = database;
  options.data = data + "/ledger";
  // The book, not the bare records: what an attacker needs comes from the rules.
  HAP_TRY(book, ledger::open_book(options));
  ledger.records_.reserve(book.records.size());
  for (auto& record : book.records) ledger.records_.push_back(std::move(record.record));
  return ledger;
}

UserLedger UserLedger::open_or_say() {
  auto ledger = open();
  if (ledger) return std::move(*ledger);
  print_error(ledger.error().context("known_cves is left out"));
  return {};
}

std::optional<Interval> UserLedger::known_cves(const std::string& path, const store::Cell& cell,
                                               const ExercisedOptions& options) const {
  if (empty()) return std::nullopt;
  return interval_of(ledger::known_cves(records_, exercised_kernel_code(path, cell, options)));
}

Status UserLedger::add_to(ReportOptions& options, const std::string& path, const store::Cell& cell) const {
  if (empty()) return {};
  HAP_TRY(data, data_dir());
  HAP_TRY(code, exercised_code(path, cell, data));
  options.known_cves = interval_of(ledger::known_cves(records_, code));
  options.exposure = ledger::expose(records_, code);
  return {};
}

}  // namespace hap::cli
