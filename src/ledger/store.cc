#include "ledger/store.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <unordered_map>

#include "base/digest.h"
#include "base/file.h"
#include "ledger/record_digest.h"

namespace hap::ledger {
namespace {

constexpr int64_t application_id = 0x6861706c;  // "hapl"
constexpr int64_t schema_version = 1;

constexpr const char* schema = R"(
CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE imported(path TEXT PRIMARY KEY, digest TEXT NOT NULL, records INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE fact(
  fact INTEGER PRIMARY KEY, id TEXT NOT NULL, format TEXT NOT NULL, digest TEXT NOT NULL,
  origin TEXT NOT NULL, position TEXT NOT NULL, published TEXT, advised TEXT, fixed TEXT,
  title TEXT NOT NULL, cvss TEXT NOT NULL, UNIQUE(id, format));
CREATE TABLE fact_text(fact INTEGER PRIMARY KEY, description TEXT NOT NULL, rationale TEXT NOT NULL);
CREATE TABLE advisory(fact INTEGER NOT NULL, advisory TEXT NOT NULL);
CREATE TABLE product(fact INTEGER NOT NULL, product TEXT NOT NULL);
CREATE TABLE file(fact INTEGER NOT NULL, path TEXT NOT NULL);
CREATE TABLE function(fact INTEGER NOT NULL, path TEXT NOT NULL, function TEXT NOT NULL);
CREATE TABLE fix(fact INTEGER NOT NULL, commit_id TEXT NOT NULL);
CREATE TABLE affected(fact INTEGER NOT NULL, entry INTEGER NOT NULL, product TEXT NOT NULL,
  default_affected INTEGER NOT NULL, affected INTEGER NOT NULL, version_from TEXT NOT NULL,
  version_below TEXT NOT NULL, version_through TEXT NOT NULL);
CREATE TABLE requirement(fact INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,
  namespaced INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE derived_requirement(id TEXT NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,
  namespaced INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE classification(id TEXT NOT NULL, technology TEXT NOT NULL, impact TEXT NOT NULL, tier TEXT NOT NULL,
  attacker TEXT NOT NULL, condition TEXT NOT NULL, component TEXT NOT NULL, made_by TEXT NOT NULL, why TEXT NOT NULL);
CREATE INDEX advisory_of ON advisory(fact); CREATE INDEX product_of ON product(fact);
CREATE INDEX file_of ON file(fact); CREATE INDEX function_of ON function(fact); CREATE INDEX fix_of ON fix(fact);
CREATE INDEX affected_of ON affected(fact); CREATE INDEX requirement_of ON requirement(fact);
)";

constexpr std::array<const char*, 7> list_tables{"advisory", "product",  "file",       "function",
                                                 "fix",      "affected", "requirement"};

template <typename T>
void append_new(std::vector<T>& into, std::vector<T>&& from) {
  for (auto& item : from) {
    if (std::find(into.begin(), into.end(), item) == into.end()) into.push_back(std::move(item));
  }
}

}  // namespace

int precedence(const std::string& format) {
  constexpr std::array<std::string_view, 7> order{"cve5", "kernel-compact", "nvd2",        "xsa",
                                                  "osv",  "tracker",        "requirements"};
  const auto found = std::find(order.begin(), order.end(), format);
  return static_cast<int>(found - order.begin());
}

void merge_record(Record& record, Record&& other) {
  if (!record.published) record.published = std::move(other.published);
  if (!record.advised) record.advised = std::move(other.advised);
  if (!record.fixed) record.fixed = std::move(other.fixed);
  if (record.title.empty()) record.title = std::move(other.title);
  // Both texts are kept: sources describe different sides (the fix, the attack).
  if (record.description.empty()) {
    record.description = std::move(other.description);
  } else if (!other.description.empty() && other.description != record.description) {
    record.description += "\n\n" + other.description;
  }
  if (record.rationale.empty()) record.rationale = std::move(other.rationale);
  if (record.cvss.empty()) record.cvss = std::move(other.cvss);
  append_new(record.advisories, std::move(other.advisories));
  append_new(record.products, std::move(other.products));
  append_new(record.files, std::move(other.files));
  append_new(record.fixes, std::move(other.fixes));
  if (record.functions.empty()) record.functions = std::move(other.functions);
  // Ranges of two sources are not mixed: the better source's stand alone.
  if (record.affected.empty()) record.affected = std::move(other.affected);
  for (auto& requirement : other.requirements) record.requirements.push_back(std::move(requirement));
  for (auto& source : other.sources) record.sources.push_back(std::move(source));
}

Result<Store> Store::open(const std::string& path, bool must_exist) {
  std::error_code ignored;
  const bool exists = std::filesystem::exists(path, ignored);
  if (!exists && must_exist) {
    return Error("there is no ledger yet").at(path).hint("import records first: hap ledger import FILE...");
  }
  if (!exists) {
    const auto folder = std::filesystem::path(path).parent_path();
    if (!folder.empty()) HAP_CHECK(make_dirs(folder.string()));
  }
  HAP_TRY(database, Database::open(path, !must_exist));
  Store store(std::move(database));
  HAP_CHECK(store.prepare());
  return store;
}

Status Store::prepare() {
  HAP_TRY(id, database_.query_number("PRAGMA application_id"));
  HAP_TRY(version, database_.query_number("PRAGMA user_version"));
  HAP_TRY(tables, database_.query_number("SELECT count(*) FROM sqlite_master"));
  if (id == application_id && version > schema_version) {
    return Error("this ledger was written by a newer hapmeter", ErrorKind::corrupt)
        .at(database_.path())
        .hint("update hapmeter, or name another ledger with --db");
  }
  if (id == application_id && version == schema_version) return {};
  if (tables != 0) {
    return Error("this database is not a ledger of hapmeter", ErrorKind::corrupt)
        .at(database_.path())
        .hint("name another file with --db");
  }
  HAP_TRY(transaction, Transaction::begin(database_));
  HAP_CHECK(database_.execute(schema));
  HAP_CHECK(database_.execute(("PRAGMA application_id=" + std::to_string(application_id)).c_str()));
  HAP_CHECK(database_.execute(("PRAGMA user_version=" + std::to_string(schema_version)).c_str()));
  return transaction.commit();
}

Result<Store::Change> Store::put(const Record& record) {
  auto& w = writers_;
  if (!w.ready) {
    const auto prepare_into = [this](Statement& into, std::string_view sql) -> Status {
      HAP_TRY(statement, database_.prepare(sql));
      into = std::move(statement);
      return {};
    };
    HAP_CHECK(prepare_into(w.find, "SELECT fact, digest FROM fact WHERE id=? AND format=?"));
    HAP_CHECK(prepare_into(w.remove, "DELETE FROM fact WHERE fact=?"));
    HAP_CHECK(prepare_into(
        w.insert,
        "INSERT INTO fact(id, format, digest, origin, position, published, advised, fixed, title, cvss)"
        " VALUES(?,?,?,?,?,?,?,?,?,?) RETURNING fact"));
    HAP_CHECK(prepare_into(w.advisory, "INSERT INTO advisory VALUES(?,?)"));
    HAP_CHECK(prepare_into(w.product, "INSERT INTO product VALUES(?,?)"));
    HAP_CHECK(prepare_into(w.file, "INSERT INTO file VALUES(?,?)"));
    HAP_CHECK(prepare_into(w.function, "INSERT INTO function VALUES(?,?,?)"));
    HAP_CHECK(prepare_into(w.fix, "INSERT INTO fix VALUES(?,?)"));
    HAP_CHECK(prepare_into(w.affected, "INSERT INTO affected VALUES(?,?,?,?,?,?,?,?)"));
    HAP_CHECK(prepare_into(w.requirement, "INSERT INTO requirement VALUES(?,?,?,?,?)"));
    for (const char* table : list_tables) {
      Statement clear;
      HAP_CHECK(prepare_into(clear, std::string("DELETE FROM ") + table + " WHERE fact=?"));
      w.clear.push_back(std::move(clear));
    }
    Statement text;
    HAP_CHECK(prepare_into(text, "DELETE FROM fact_text WHERE fact=?"));
    w.clear.push_back(std::move(text));
    HAP_CHECK(prepare_into(text, "INSERT INTO fact_text VALUES(?,?,?)"));
    w.clear.push_back(std::move(text));  // last: the writer of texts
    w.ready = true;
  }
  const Source& source = record.sources.front();
  const std::string digest = record_digest(record);
  HAP_TRY(known, w.find.bind(1, record.id).bind(2, source.format).step());
  if (known) {
    const int64_t fact = w.find.number(0);
    const bool same = w.find.text(1) == digest;
    HAP_CHECK(w.find.run());  // back to the start
    if (same) return Change::unchanged;
    HAP_CHECK(w.remove.bind(1, fact).run());
    for (size_t i = 0; i + 1 < w.clear.size(); ++i) HAP_CHECK(w.clear[i].bind(1, fact).run());
  }
  w.insert.bind(1, record.id)
      .bind(2, source.format)
      .bind(3, digest)
      .bind(4, source.origin)
      .bind(5, source.position);
  w.insert.bind_optional(6, record.published).bind_optional(7, record.advised).bind_optional(8, record.fixed);
  HAP_TRY(inserted, w.insert.bind(9, record.title).bind(10, record.cvss).step());
  if (!inserted) return Error("the ledger's database did not take a record").at(database_.path());
  const int64_t fact = w.insert.number(0);
  HAP_CHECK(w.insert.run());
  HAP_CHECK(w.clear.back().bind(1, fact).bind(2, record.description).bind(3, record.rationale).run());
  for (const auto& item : record.advisories) HAP_CHECK(w.advisory.bind(1, fact).bind(2, item).run());
  for (const auto& item : record.products) HAP_CHECK(w.product.bind(1, fact).bind(2, item).run());
  for (const auto& item : record.files) HAP_CHECK(w.file.bind(1, fact).bind(2, item).run());
  for (const auto& item : record.functions) {
    HAP_CHECK(w.function.bind(1, fact).bind(2, item.file).bind(3, item.function).run());
  }
  for (const auto& item : record.fixes) HAP_CHECK(w.fix.bind(1, fact).bind(2, item).run());
  int64_t entry = 0;
  for (const auto& product : record.affected) {
    for (const auto& range : product.versions) {
      w.affected.bind(1, fact)
          .bind(2, entry)
          .bind(3, product.product)
          .bind(4, int64_t{product.default_affected});
      w.affected.bind(5, int64_t{range.affected})
          .bind(6, range.from)
          .bind(7, range.below)
          .bind(8, range.through);
      HAP_CHECK(w.affected.run());
    }
    ++entry;
  }
  for (const auto& item : record.requirements) {
    w.requirement.bind(1, fact).bind(2, static_cast<int64_t>(item.kind)).bind(3, item.name);
    HAP_CHECK(w.requirement.bind(4, int64_t{item.namespaced}).bind(5, item.why).run());
  }
  return known ? Change::updated : Change::added;
}

Result<std::string> Store::imported_digest(const std::string& path) {
  HAP_TRY(statement, database_.prepare("SELECT digest FROM imported WHERE path=?"));
  HAP_TRY(row, statement.bind(1, path).step());
  return row ? statement.text(0) : std::string();
}

Status Store::mark_imported(const std::string& path, const std::string& digest, int64_t records) {
  HAP_TRY(statement, database_.prepare("INSERT OR REPLACE INTO imported VALUES(?,?,?)"));
  return statement.bind(1, path).bind(2, digest).bind(3, records).run();
}

Result<int64_t> Store::record_count() {
  return database_.query_number("SELECT count(DISTINCT id) FROM fact");
}

Result<std::vector<Record>> Store::load(bool with_text) {
  // Facts by record, then their lists by fact number; merging comes last, when every fact is complete.
  std::vector<Record> facts;
  std::unordered_map<int64_t, size_t> place;
  HAP_TRY(rows, database_.prepare("SELECT fact, id, format, origin, position, published, advised, fixed, "
                                  "title, cvss FROM fact ORDER BY id"));
  while (true) {
    HAP_TRY(row, rows.step());
    if (!row) break;
    Record record;
    record.id = rows.text(1);
    record.sources.push_back({rows.text(2), rows.text(3), rows.text(4)});
    record.published = rows.optional_text(5);
    record.advised = rows.optional_text(6);
    record.fixed = rows.optional_text(7);
    record.title = rows.text(8);
    record.cvss = rows.text(9);
    place.emplace(rows.number(0), facts.size());
    facts.push_back(std::move(record));
  }
  const auto each = [&](const char* sql, const auto& take) -> Status {
    HAP_TRY(list, database_.prepare(sql));
    while (true) {
      HAP_TRY(row, list.step());
      if (!row) return {};
      const auto owner = place.find(list.number(0));
      if (owner != place.end()) take(facts[owner->second], list);
    }
  };
  if (with_text) {
    HAP_CHECK(each("SELECT fact, description, rationale FROM fact_text", [](Record& r, const Statement& s) {
      r.description = s.text(1);
      r.rationale = s.text(2);
    }));
  }
  HAP_CHECK(each("SELECT fact, advisory FROM advisory ORDER BY rowid",
                 [](Record& r, const Statement& s) { r.advisories.push_back(s.text(1)); }));
  HAP_CHECK(each("SELECT fact, product FROM product ORDER BY rowid",
                 [](Record& r, const Statement& s) { r.products.push_back(s.text(1)); }));
  HAP_CHECK(each("SELECT fact, path FROM file ORDER BY rowid",
                 [](Record& r, const Statement& s) { r.files.push_back(s.text(1)); }));
  HAP_CHECK(
      each("SELECT fact, path, function FROM function ORDER BY rowid", [](Record& r, const Statement& s) {
        r.functions.push_back({s.text(1), s.text(2)});
      }));
  HAP_CHECK(each("SELECT fact, commit_id FROM fix ORDER BY rowid",
                 [](Record& r, const Statement& s) { r.fixes.push_back(s.text(1)); }));
  HAP_CHECK(each("SELECT fact, kind, name, namespaced, why FROM requirement ORDER BY rowid",
                 [](Record& r, const Statement& s) {
                   r.requirements.push_back(
                       {static_cast<Requirement::Kind>(std::clamp<int64_t>(s.number(1), 0, 2)), s.text(2),
                        s.number(3) != 0, s.text(4)});
                 }));
  std::unordered_map<const Record*, int64_t> last_entry;
  HAP_CHECK(each(
      "SELECT fact, entry, product, default_affected, affected, version_from, version_below, version_through"
      " FROM affected ORDER BY rowid",
      [&](Record& r, const Statement& s) {
        const auto [at, first] = last_entry.try_emplace(&r, -1);
        if (at->second != s.number(1)) {
          r.affected.push_back({s.text(2), s.number(3) != 0, {}});
          at->second = s.number(1);
        }
        r.affected.back().versions.push_back({s.number(4) != 0, s.text(5), s.text(6), s.text(7)});
      }));
  std::stable_sort(facts.begin(), facts.end(), [](const Record& a, const Record& b) {
    if (a.id != b.id) return a.id < b.id;
    return precedence(a.sources.front().format) < precedence(b.sources.front().format);
  });
  std::vector<Record> records;
  records.reserve(facts.size());
  for (auto& fact : facts) {
    if (!records.empty() && records.back().id == fact.id) {
      merge_record(records.back(), std::move(fact));
    } else {
      records.push_back(std::move(fact));
    }
  }
  HAP_TRY(derived, database_.prepare("SELECT id, kind, name, namespaced, why FROM derived_requirement"));
  while (true) {
    HAP_TRY(row, derived.step());
    if (!row) break;
    const std::string id = derived.text(0);
    const auto at = std::lower_bound(records.begin(), records.end(), id,
                                     [](const Record& r, const std::string& key) { return r.id < key; });
    if (at == records.end() || at->id != id) continue;
    at->requirements.push_back({static_cast<Requirement::Kind>(std::clamp<int64_t>(derived.number(1), 0, 2)),
                                derived.text(2), derived.number(3) != 0, derived.text(4)});
  }
  return records;
}

Status Store::put_classifications(const std::vector<ClassifiedRecord>& records, const std::string& digest) {
  HAP_CHECK(database_.execute("DELETE FROM classification; DELETE FROM derived_requirement;"));
  HAP_TRY(insert, database_.prepare("INSERT INTO classification VALUES(?,?,?,?,?,?,?,?,?)"));
  HAP_TRY(require, database_.prepare("INSERT INTO derived_requirement VALUES(?,?,?,?,?)"));
  for (const auto& [record, classifications] : records) {
    for (const auto& c : classifications) {
      insert.bind(1, record.id).bind(2, c.technology).bind(3, to_string(c.impact)).bind(4, to_string(c.tier));
      insert.bind(5, c.attacker).bind(6, c.condition).bind(7, c.component).bind(8, c.made_by);
      HAP_CHECK(insert.bind(9, c.why).run());
    }
    for (const auto& item : record.requirements) {
      if (!item.why.starts_with("rule ")) continue;  // a source's own requirement stays with its fact
      require.bind(1, record.id).bind(2, static_cast<int64_t>(item.kind)).bind(3, item.name);
      HAP_CHECK(require.bind(4, int64_t{item.namespaced}).bind(5, item.why).run());
    }
  }
  return set("classified", digest);
}

Result<std::string> Store::classification_digest() {
  return setting("classified");
}

Result<std::vector<std::pair<std::string, Classification>>> Store::load_classifications() {
  std::vector<std::pair<std::string, Classification>> all;
  HAP_TRY(rows, database_.prepare(
                    "SELECT id, technology, impact, tier, attacker, condition, component, made_by, why"
                    " FROM classification ORDER BY rowid"));
  while (true) {
    HAP_TRY(row, rows.step());
    if (!row) return all;
    const auto impact = parse_impact(rows.text(2));
    const auto tier = parse_tier(rows.text(3));
    if (!impact || !tier)
      return Error("the ledger holds a classification that cannot be read", ErrorKind::corrupt)
          .at(database_.path());
    all.emplace_back(rows.text(0), Classification{rows.text(1), *impact, *tier, rows.text(4), rows.text(5),
                                                  rows.text(6), rows.text(7), rows.text(8)});
  }
}

Result<std::string> Store::generation() {
  return setting("generation");
}

Status Store::new_generation() {
  HAP_TRY(now, setting("generation"));
  return set("generation", sha256_hex(now + "+").substr(0, 16));
}

Result<std::string> Store::setting(const std::string& key) {
  HAP_TRY(statement, database_.prepare("SELECT value FROM setting WHERE key=?"));
  HAP_TRY(row, statement.bind(1, key).step());
  return row ? statement.text(0) : std::string();
}

Status Store::set(const std::string& key, const std::string& value) {
  HAP_TRY(statement, database_.prepare("INSERT OR REPLACE INTO setting VALUES(?,?)"));
  return statement.bind(1, key).bind(2, value).run();
}

Result<std::string> default_path() {
  if (const char* named = std::getenv("HAP_LEDGER"); named != nullptr && *named != '\0')
    return std::string(named);
  if (const char* xdg = std::getenv("XDG_DATA_HOME"); xdg != nullptr && *xdg != '\0') {
    return std::string(xdg) + "/hapmeter/ledger.sqlite";
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    return Error("cannot tell where the ledger is kept: HOME is not set").hint("set HAP_LEDGER or give --db");
  }
  return std::string(home) + "/.local/share/hapmeter/ledger.sqlite";
}

Result<std::vector<Record>> load_records(const std::string& path, bool with_text) {
  std::string database = path;
  if (database.empty()) {
    HAP_TRY(standard, default_path());
    database = standard;
  }
  std::error_code ignored;
  if (!std::filesystem::exists(database, ignored)) return std::vector<Record>{};
  HAP_TRY(store, Store::open(database, true));
  return store.load(with_text);
}

}  // namespace hap::ledger
