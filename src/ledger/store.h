// The ledger's SQLite database: one row per (record, source), its lists beside it, classifications, and which
// files were imported. Facts of different sources are kept apart and merged when loaded, so that importing a
// source again replaces just what that source said.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hap/ledger.h"
#include "ledger/sqlite.h"

namespace hap::ledger {

class Store {
 public:
  // Creates the file, its folder and the schema when missing (unless `must_exist`). A database of another
  // program or of a newer version is refused.
  static Result<Store> open(const std::string& path, bool must_exist = false);

  Database& database() { return database_; }

  enum class Change { added, updated, unchanged };
  // Replaces what record.sources[0].format said about record.id; inside the caller's transaction.
  Result<Change> put(const Record& record);

  // Digest under which this input was last imported whole; empty when never.
  Result<std::string> imported_digest(const std::string& path);
  Status mark_imported(const std::string& path, const std::string& digest, int64_t records);

  // All records merged over their sources, sorted by id. Without text, description and rationale stay empty.
  Result<std::vector<Record>> load(bool with_text);
  Result<int64_t> record_count();

  // Classifications are derived: replaced as a whole, valid for one digest of (rules, records).
  Status put_classifications(const std::vector<ClassifiedRecord>& records, const std::string& digest);
  Result<std::string> classification_digest();
  Result<std::vector<std::pair<std::string, Classification>>> load_classifications();
  // Changes with every import that changed anything.
  Result<std::string> generation();
  Status new_generation();

 private:
  explicit Store(Database database) : database_(std::move(database)) {}
  Status prepare();
  Result<std::string> setting(const std::string& key);
  Status set(const std::string& key, const std::string& value);

  Database database_;
  struct Writers {
    Statement find, remove, insert, file, function, fix, product, affected, requirement, advisory;
    std::vector<Statement> clear;
    bool ready = false;
  } writers_;
};

// Order in which sources are believed where they contradict each other; lower is better.
int precedence(const std::string& format);

// Folds `other` into `record` (same id; `record` is the one believed).
void merge_record(Record& record, Record&& other);

}  // namespace hap::ledger
