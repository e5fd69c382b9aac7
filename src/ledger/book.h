// The ledger opened for reading: records of the database with their classifications by rules, and over them
// what people decided. Order of authority: the user's own file, the project's hand classifications, the
// rules.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hap/ledger.h"
#include "ledger/classification_file.h"
#include "ledger/rules.h"

namespace hap::ledger {

struct BookOptions {
  std::string database;     // empty: default_path(); need not exist
  std::string data;         // folder with rules.toml, classification-*.tsv, published.toml
  std::string rules;        // another rules file; empty: data + "/rules.toml"
  std::string user_file;    // classification file of the user; empty: none
  bool rules_only = false;  // leave out what people decided: to see, or to measure, the rules
  bool with_text = false;
};

struct Figure {
  YearSpan years;
  std::string technology;
  Impact impact = Impact::privilege_escalation;
  PublishedRange range;
};

struct Book {
  Rules rules;
  std::vector<ClassificationFile> files;  // project's, then the user's
  std::vector<Figure> published;
  std::vector<ClassifiedRecord> records;  // by id
  uint64_t database_records = 0;

  const ClassifiedRecord* find(const std::string& id) const;
};

Result<Book> open_book(const BookOptions& options);

struct TableOptions {
  YearSpan years;
  DateBasis basis = DateBasis::published;
};
Table make_table(const Book& book, const TableOptions& options);

// Renderings of a table, and of one cell with its records.
std::string table_text(const Table& table);
std::string table_csv(const Table& table);
std::string table_json(const Table& table);
std::string cell_text(const Table& table, const TableCell& cell);
std::string cell_csv(const TableCell& cell);
std::string cell_json(const Table& table, const TableCell& cell);
std::string record_text(const ClassifiedRecord& record,
                        const std::vector<std::pair<std::string, std::string>>& facts);

}  // namespace hap::ledger
