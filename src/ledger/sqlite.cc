#include "ledger/sqlite.h"

namespace hap::ledger {

Statement& Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL; an empty text is not unknown.
  sqlite3_bind_text64(statement_.get(), index, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_optional(int index, const std::optional<std::string>& text) {
  if (text) return bind(index, std::string_view(*text));
  sqlite3_bind_null(statement_.get(), index);
  return *this;
}

Statement& Statement::bind(int index, int64_t number) {
  sqlite3_bind_int64(statement_.get(), index, number);
  return *this;
}

Result<bool> Statement::step() {
  const int status = sqlite3_step(statement_.get());
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  Error error(
      std::string("the ledger's database failed: ") + sqlite3_errmsg(sqlite3_db_handle(statement_.get())),
      status == SQLITE_CORRUPT || status == SQLITE_NOTADB ? ErrorKind::corrupt : ErrorKind::failed);
  sqlite3_reset(statement_.get());
  return error;
}

Status Statement::run() {
  auto row = step();
  if (!row) return row.error();
  if (*row) sqlite3_reset(statement_.get());
  return {};
}

std::string Statement::text(int column) const {
  return optional_text(column).value_or(std::string());
}

std::optional<std::string> Statement::optional_text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) return std::nullopt;
  return std::string(bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

Error Database::error(const std::string& doing) const {
  const int status = handle_ ? sqlite3_errcode(handle_.get()) : SQLITE_NOMEM;
  const bool damaged = status == SQLITE_CORRUPT || status == SQLITE_NOTADB;
  Error result(doing + ": " + (handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory"),
               damaged ? ErrorKind::corrupt : ErrorKind::failed);
  return std::move(result).at(path_);
}

Result<Database> Database::open(const std::string& path, bool create) {
  Database database;
  database.path_ = path;
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
  const int status = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  database.handle_.reset(handle);
  if (status != SQLITE_OK) return database.error("cannot open the ledger's database");
  sqlite3_busy_timeout(handle, 10'000);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  HAP_CHECK(
      database.execute("PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=OFF; PRAGMA cell_size_check=ON;"));
  return database;
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return error("the ledger's database failed");
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK) {
    return error("the ledger's database failed");
  }
  return Statement(statement);
}

Result<int64_t> Database::query_number(std::string_view sql) {
  HAP_TRY(statement, prepare(sql));
  HAP_TRY(row, statement.step());
  return row ? statement.number(0) : int64_t{0};
}

Result<Transaction> Transaction::begin(Database& database) {
  HAP_CHECK(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->execute("ROLLBACK").ok();
}

Status Transaction::commit() {
  HAP_CHECK(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace hap::ledger
