#include "recording/statement.h"

#include <cerrno>
#include <limits>

namespace hap::recording {

Error database_error(sqlite3* db, const std::string& doing) {
  const int code = sqlite3_errcode(db) & 0xff;
  if (code == SQLITE_FULL) {
    return Error::from_errno(doing, ENOSPC).hint("free some disk space and measure again");
  }
  return Error(doing + ": " + sqlite3_errmsg(db),
               code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_CONSTRAINT
                   ? ErrorKind::corrupt
                   : ErrorKind::failed);
}

Status execute(sqlite3* db, const std::string& sql) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return database_error(db, "preparing the recording's database");
  }
  return {};
}

Result<Statement> Statement::prepare(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK) {
    return database_error(db, "querying the recording");
  }
  return Statement(db, statement);
}

Statement& Statement::bind(int position, int64_t value) {
  sqlite3_bind_int64(statement_.get(), position, value);
  return *this;
}

Statement& Statement::bind(int position, std::string_view text) {
  // An empty view may have no address, which SQLite would store as NULL.
  sqlite3_bind_text64(statement_.get(), position, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int position, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), position, bytes.empty() ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
  return *this;
}

Status Statement::insert() {
  const int code = sqlite3_step(statement_.get());
  if (code != SQLITE_DONE) {
    auto error = database_error(db_, "adding to the recording");
    sqlite3_reset(statement_.get());
    return error;
  }
  sqlite3_reset(statement_.get());
  return {};
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_error(db_, "reading the recording");
}

int64_t Statement::integer(int column) {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_INTEGER) {
    bad_ = true;
    return 0;
  }
  return sqlite3_column_int64(statement_.get(), column);
}

uint32_t Statement::u32(int column) {
  const int64_t value = integer(column);
  if (value < 0 || value > std::numeric_limits<uint32_t>::max()) {
    bad_ = true;
    return 0;
  }
  return static_cast<uint32_t>(value);
}

int32_t Statement::i32(int column) {
  const int64_t value = integer(column);
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    bad_ = true;
    return 0;
  }
  return static_cast<int32_t>(value);
}

std::string_view Statement::text(int column) {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_TEXT) {
    bad_ = true;
    return {};
  }
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) {
    bad_ = true;
    return {};
  }
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view Statement::blob(int column) {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_BLOB) {
    bad_ = true;
    return {};
  }
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {bytes, bytes == nullptr ? 0 : static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

}  // namespace hap::recording
