#include "ledger/book.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <unordered_map>

#include "base/digest.h"
#include "base/file.h"
#include "ledger/date.h"
#include "ledger/store.h"

namespace hap::ledger {
namespace {

Result<std::vector<Figure>> load_figures(const std::string& path) {
  HAP_TRY(text, read_file(path, size_t{1} << 20));
  std::vector<Figure> figures;
  try {
    std::istringstream stream(text);
    const toml::table root = toml::parse(stream, path);
    const toml::array* list = root["figure"].as_array();
    if (list == nullptr) return Error("no [[figure]]", ErrorKind::corrupt).at(path);
    for (const auto& item : *list) {
      const toml::table* table = item.as_table();
      const toml::array* cells = table != nullptr ? (*table)["cells"].as_array() : nullptr;
      if (cells == nullptr) return Error("a [[figure]] without cells", ErrorKind::corrupt).at(path);
      for (const auto& entry : *cells) {
        const toml::table* cell = entry.as_table();
        if (cell == nullptr) return Error("a cell is no table", ErrorKind::corrupt).at(path);
        Figure figure;
        figure.years = {(*table)["from"].value_or(0), (*table)["to"].value_or(0)};
        figure.technology = (*cell)["technology"].value_or(std::string());
        const auto impact = parse_impact((*cell)["impact"].value_or(std::string()));
        if (!impact || figure.technology.empty())
          return Error("a cell without technology or impact", ErrorKind::corrupt).at(path);
        figure.impact = *impact;
        figure.range = {(*cell)["low"].value_or(0), (*cell)["high"].value_or(0),
                        (*cell)["deviation"].value_or(std::string())};
        figures.push_back(std::move(figure));
      }
    }
  } catch (const toml::parse_error& error) {
    return Error(
               "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()),
               ErrorKind::corrupt)
        .at(path);
  }
  return figures;
}

// Records of the database with the rules' classifications; those are kept in the database until the rules or
// the records change.
Result<std::vector<ClassifiedRecord>> classified_records(const std::string& path, const Rules& rules,
                                                         bool with_text) {
  HAP_TRY(store, Store::open(path, true));
  HAP_TRY(generation, store.generation());
  HAP_TRY(kept, store.classification_digest());
  const std::string wanted = rules.digest() + " " + generation;
  std::vector<ClassifiedRecord> records;
  if (kept == wanted) {
    HAP_TRY(plain, store.load(with_text));
    for (auto& record : plain) records.push_back({std::move(record), {}});
    HAP_TRY(all, store.load_classifications());
    for (auto& [id, classification] : all) {
      const auto at = std::lower_bound(
          records.begin(), records.end(), id,
          [](const ClassifiedRecord& r, const std::string& key) { return r.record.id < key; });
      if (at != records.end() && at->record.id == id)
        at->classifications.push_back(std::move(classification));
    }
    return records;
  }
  HAP_TRY(plain, store.load(true));
  for (auto& record : plain) {
    // Requirements that older rules derived are derived again.
    std::erase_if(record.requirements, [](const Requirement& need) { return need.why.starts_with("rule "); });
    auto cells = rules.classify(record);
    records.push_back({std::move(record), std::move(cells)});
  }
  HAP_TRY(transaction, Transaction::begin(store.database()));
  HAP_CHECK(store.put_classifications(records, wanted));
  HAP_CHECK(transaction.commit());
  return records;
}

Classification to_classification(const ClassificationFile& file, const HandRow& row) {
  Classification cell;
  cell.technology = row.technology;
  cell.impact = row.impact.value_or(Impact::privilege_escalation);
  cell.tier = row.tier;
  cell.attacker = row.attacker;
  cell.condition = row.tier == Tier::upper ? row.note : std::string();
  cell.component = row.component;
  cell.made_by = file.origin + ":" + std::to_string(row.line);
  cell.why = row.note;
  return cell;
}

bool in_span(const std::string& date, const YearSpan& span) {
  const int year = std::stoi(date.substr(0, 4));
  return year >= span.from && year <= span.to;
}

// Puts what one file says over what was there before.
void overlay(const ClassificationFile& file, const std::set<std::string>& stronger,
             std::map<std::string, ClassifiedRecord>& records) {
  std::set<std::string> named;
  for (const auto& row : file.rows) {
    for (const auto& id : row.ids) {
      if (stronger.count(id) != 0) continue;
      auto at = records.find(id);
      // Ranges name many ids at once; an exclusion creates no record that nothing else knows.
      if (at == records.end() && row.tier == Tier::excluded) continue;
      if (at == records.end()) {
        at = records.emplace(id, ClassifiedRecord{}).first;
        at->second.record.id = id;
        at->second.record.sources.push_back(
            {"hand classification", file.origin, "line " + std::to_string(row.line)});
      }
      if (named.insert(id).second) at->second.classifications.clear();
      auto& record = at->second.record;
      if (row.date) record.published = row.date;
      for (const auto& advisory : row.advisories) {
        if (std::find(record.advisories.begin(), record.advisories.end(), advisory) ==
            record.advisories.end()) {
          record.advisories.push_back(advisory);
        }
      }
      if (row.technology == "none" && !at->second.classifications.empty()) continue;
      at->second.classifications.push_back(to_classification(file, row));
    }
  }
}

}  // namespace

const ClassifiedRecord* Book::find(const std::string& id) const {
  const auto at =
      std::lower_bound(records.begin(), records.end(), id,
                       [](const ClassifiedRecord& r, const std::string& key) { return r.record.id < key; });
  return at != records.end() && at->record.id == id ? &*at : nullptr;
}

Result<Book> open_book(const BookOptions& options) {
  Book book;
  HAP_TRY(rules, Rules::load(options.rules.empty() ? options.data + "/rules.toml" : options.rules));
  book.rules = std::move(rules);
  HAP_TRY(figures, load_figures(options.data + "/published.toml"));
  book.published = std::move(figures);
  std::string database = options.database;
  if (database.empty()) {
    HAP_TRY(standard, default_path());
    database = standard;
  }
  std::error_code error;
  std::map<std::string, ClassifiedRecord> records;
  if (std::filesystem::exists(database, error)) {
    HAP_TRY(stored, classified_records(database, book.rules, options.with_text));
    book.database_records = stored.size();
    for (auto& record : stored) {
      std::string id = record.record.id;
      records.emplace_hint(records.end(), std::move(id), std::move(record));
    }
  }
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(options.data, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("classification-") && name.ends_with(".tsv")) paths.push_back(entry.path().string());
  }
  if (error) return Error("cannot list the ledger's data: " + error.message()).at(options.data);
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    HAP_TRY(file, ClassificationFile::load(path));
    book.files.push_back(std::move(file));
  }
  if (!options.user_file.empty()) {
    HAP_TRY(file, ClassificationFile::load(options.user_file));
    book.files.push_back(std::move(file));
  }
  for (const auto& file : book.files) {
    for (const auto& row : file.rows) {
      if (row.technology != "none" && book.rules.technology(row.technology) == nullptr) {
        return Error("line " + std::to_string(row.line) + ": no technology \"" + row.technology + "\"",
                     ErrorKind::corrupt)
            .at(file.origin);
      }
    }
  }
  if (!options.rules_only) {
    for (size_t i = 0; i < book.files.size(); ++i) {
      // A file that decides whole years silences the rules there, for its technologies.
      if (const auto& covers = book.files[i].covers) {
        std::set<std::string> decided;
        for (const auto& row : book.files[i].rows) decided.insert(row.technology);
        for (auto& [id, record] : records) {
          if (record.record.published && in_span(*record.record.published, *covers)) {
            std::erase_if(record.classifications, [&decided](const Classification& c) {
              return c.made_by.starts_with("rule ") && decided.count(c.technology) != 0;
            });
          }
        }
      }
      std::set<std::string> stronger;
      for (size_t later = i + 1; later < book.files.size(); ++later) {
        const bool user = !options.user_file.empty() && later + 1 == book.files.size();
        if (!user) continue;
        for (const auto& row : book.files[later].rows) stronger.insert(row.ids.begin(), row.ids.end());
      }
      overlay(book.files[i], stronger, records);
    }
  }
  for (auto& [id, record] : records) book.records.push_back(std::move(record));
  return book;
}

}  // namespace hap::ledger
