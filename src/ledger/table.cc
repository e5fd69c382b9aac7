#include <algorithm>
#include <set>

#include "ledger/book.h"
#include "ledger/date.h"

namespace hap::ledger {
namespace {

constexpr Impact impacts[] = {Impact::privilege_escalation, Impact::denial_of_service,
                              Impact::information_leak};

// Joins records of one advisory, where the technology counts advisories.
void add_entry(TableCell& cell, const Technology& technology, const Record& record, const Classification& c) {
  TableEntry entry;
  entry.label = technology.per_advisory && !record.advisories.empty() ? record.advisories.front() : record.id;
  entry.ids = {record.id};
  entry.tier = c.tier;
  entry.date = record.published.value_or(std::string());
  entry.attacker = c.attacker;
  entry.component = c.component;
  entry.condition = c.condition;
  entry.made_by = c.made_by;
  entry.why = c.why;
  const auto same = std::find_if(cell.entries.begin(), cell.entries.end(),
                                 [&entry](const TableEntry& have) { return have.label == entry.label; });
  if (same == cell.entries.end()) {
    cell.entries.push_back(std::move(entry));
    return;
  }
  // The advisory is as certain as its most certain record.
  auto ids = same->ids;
  ids.push_back(record.id);
  if (entry.tier < same->tier) *same = std::move(entry);
  same->ids = std::move(ids);
}

}  // namespace

std::optional<int> year_of(const Record& record, DateBasis basis) {
  if (record.published) return std::stoi(record.published->substr(0, 4));
  if (basis == DateBasis::id_year) return year_in_id(record.id);
  return std::nullopt;
}

const TableCell* Table::find(const std::string& technology, Impact impact) const {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const TableCell& cell) {
    return cell.technology == technology && cell.impact == impact;
  });
  return found == cells.end() ? nullptr : &*found;
}

Table make_table(const Book& book, const TableOptions& options) {
  Table table;
  table.years = options.years;
  table.technologies = book.rules.technologies();
  for (const auto& technology : table.technologies) {
    for (const auto impact : impacts) {
      TableCell cell;
      cell.technology = technology.id;
      cell.impact = impact;
      for (const auto& figure : book.published) {
        if (figure.technology == technology.id && figure.impact == impact &&
            figure.years.from == options.years.from && figure.years.to == options.years.to) {
          cell.published = figure.range;
        }
      }
      table.cells.push_back(std::move(cell));
    }
  }
  std::set<std::string> products;
  std::set<std::string> classified;
  bool by_rule = false;
  for (const auto& [record, classifications] : book.records) {
    products.insert(record.products.begin(), record.products.end());
    const auto year = year_of(record, options.basis);
    bool counted = false;
    for (const auto& c : classifications) {
      counted = counted || c.tier == Tier::core || c.tier == Tier::upper;
      classified.insert(c.technology);
      if (!year || *year < options.years.from || *year > options.years.to || c.technology == "none") continue;
      const auto* technology = book.rules.technology(c.technology);
      const auto cell = std::find_if(table.cells.begin(), table.cells.end(), [&c](const TableCell& t) {
        return t.technology == c.technology && t.impact == c.impact;
      });
      if (technology == nullptr || cell == table.cells.end()) continue;
      by_rule = by_rule || c.made_by.starts_with("rule ");
      add_entry(*cell, *technology, record, c);
    }
    if (counted && !year) ++table.undated;
  }
  for (auto& cell : table.cells) {
    std::stable_sort(cell.entries.begin(), cell.entries.end(), [](const TableEntry& a, const TableEntry& b) {
      return a.tier != b.tier ? a.tier < b.tier : a.date < b.date;
    });
    for (const auto& entry : cell.entries) {
      cell.low += entry.tier == Tier::core ? 1 : 0;
      cell.high += entry.tier == Tier::core || entry.tier == Tier::upper ? 1 : 0;
    }
  }
  for (const auto& technology : table.technologies) {
    const bool has =
        classified.count(technology.id) != 0 ||
        std::any_of(technology.products.begin(), technology.products.end(),
                    [&products](const std::string& product) { return products.count(product) != 0; });
    if (!has) table.without_data.push_back(technology.id);
  }
  for (const auto& file : book.files) {
    if (file.covers && file.covers->from <= options.years.to && file.covers->to >= options.years.from) {
      table.basis.push_back(
          file.origin + ", made by hand, decides " + std::to_string(file.covers->from) +
          (file.covers->to != file.covers->from ? "-" + std::to_string(file.covers->to) : ""));
    } else if (!file.covers) {
      table.basis.push_back(file.origin + ", made by hand");
    }
  }
  if (by_rule)
    table.basis.push_back("automatic rules over " + std::to_string(book.database_records) +
                          " imported records (their precision and recall: hap ledger accuracy)");
  if (book.database_records == 0)
    table.warnings.push_back(
        "nothing was imported: only the shipped hand classifications are counted (hap ledger import "
        "FILE...)");
  if (options.basis == DateBasis::id_year) {
    table.warnings.push_back(
        "undated records are counted in the year of their id, which is when the id was reserved, not when it "
        "was published");
  } else if (table.undated > 0) {
    table.warnings.push_back(std::to_string(table.undated) +
                             " classified records carry no date and are in no year (--undated-by-id counts "
                             "them by the year of their id)");
  }
  for (const auto& boundary : book.rules.breaks()) {
    if (options.years.to < boundary.year) continue;
    const bool across = options.years.from < boundary.year;
    std::string concerned;
    for (const auto& id : boundary.technologies) concerned += (concerned.empty() ? "" : ", ") + id;
    table.warnings.push_back(
        (across ? "years that are not comparable are added up here ("
                : "not comparable with years before " + std::to_string(boundary.year) + " (") +
        concerned + "): " + boundary.warning);
  }
  return table;
}

}  // namespace hap::ledger
