// A prepared SQLite statement and a database handle, with errors as values.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap::recording {

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// What SQLite says went wrong; disk full gets its errno and a hint.
Error database_error(sqlite3* db, const std::string& doing);
Status execute(sqlite3* db, const std::string& sql);

class Statement {
 public:
  static Result<Statement> prepare(sqlite3* db, std::string_view sql);

  // Positions count from 1. Text must stay alive until the next step.
  Statement& bind(int position, int64_t value);
  Statement& bind(int position, std::string_view text);
  Statement& bind_blob(int position, std::string_view bytes);
  // Runs an INSERT and makes the statement ready for the next one.
  Status insert();
  // True: there is a row. False: no more rows.
  Result<bool> step();

  // Columns count from 0. A value of another type or range sets bad() and reads as zero or empty: a hostile
  // file may hold anything in any column.
  int64_t integer(int column);
  uint32_t u32(int column);
  int32_t i32(int column);
  uint64_t u64(int column) { return static_cast<uint64_t>(integer(column)); }
  std::string_view text(int column);
  std::string_view blob(int column);
  bool bad() const { return bad_; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Statement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  bool bad_ = false;
};

}  // namespace hap::recording
