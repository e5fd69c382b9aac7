#include "ledger/accuracy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/text_layout.h"

namespace hap::ledger {
namespace {

bool counts(Tier tier) {
  return tier == Tier::core || tier == Tier::upper;
}

double wilson(const Proportion& p, double sign) {
  if (p.of == 0) return sign < 0 ? 0 : 1;
  constexpr double z = 1.959964;
  const auto n = static_cast<double>(p.of);
  const double centre = p.value() + z * z / (2 * n);
  const double spread = z * std::sqrt(p.value() * (1 - p.value()) / n + z * z / (4 * n * n));
  return std::clamp((centre + sign * spread) / (1 + z * z / n), 0.0, 1.0);
}

struct Verdict {
  Impact impact;
  Tier tier;
};
using Verdicts = std::map<std::pair<std::string, std::string>, Verdict>;  // by (record, technology)

std::string name_of(const std::optional<Verdict>& verdict) {
  return verdict ? to_string(verdict->impact) + "/" + to_string(verdict->tier) : "-";
}

void count(AccuracyRow& row, const std::optional<Verdict>& hand, const std::optional<Verdict>& rules,
           bool with_impact) {
  const bool by_hand = hand && counts(hand->tier);
  const bool by_rules = rules && counts(rules->tier);
  if (by_hand && by_rules && (!with_impact || hand->impact == rules->impact)) {
    ++row.both;
    return;
  }
  if (by_hand) ++row.only_hand;
  if (by_rules) {
    ++row.only_rules;
    if (hand && hand->tier == Tier::alternative) ++row.only_rules_alternative;
  }
}

}  // namespace

double Proportion::low() const {
  return wilson(*this, -1);
}
double Proportion::high() const {
  return wilson(*this, 1);
}

Accuracy measure_accuracy(const Book& book, const ClassificationFile& hand) {
  Accuracy accuracy;
  accuracy.against = hand.origin;
  Verdicts by_hand;
  std::set<std::string> judged;
  std::set<std::string> missing;
  for (const auto& row : hand.rows) {
    for (const auto& id : row.ids) {
      const auto* record = book.find(id);
      // Merely named by a hand file does not count as being in the database.
      if (record == nullptr || record->record.sources.front().format == "hand classification") {
        if (row.tier != Tier::excluded) missing.insert(id);
        continue;
      }
      judged.insert(id);
      if (!row.impact) continue;
      by_hand.try_emplace({id, row.technology}, Verdict{*row.impact, row.tier});
    }
  }
  // Where the file decides a whole year, what it does not name is decided too: in no cell.
  if (hand.covers) {
    for (const auto& [record, cells] : book.records) {
      const auto year = year_of(record, DateBasis::published);
      if (!year || *year < hand.covers->from || *year > hand.covers->to) continue;
      // What another file files under another year's date is that file's business.
      const bool elsewhere =
          std::any_of(book.files.begin(), book.files.end(), [&](const ClassificationFile& other) {
            return other.origin != hand.origin &&
                   std::any_of(other.rows.begin(), other.rows.end(), [&](const HandRow& row) {
                     return std::find(row.ids.begin(), row.ids.end(), record.id) != row.ids.end();
                   });
          });
      if (!elsewhere) judged.insert(record.id);
    }
  }
  accuracy.records = judged.size();
  accuracy.missing = missing.size();
  std::map<std::string, AccuracyRow> cells;
  std::map<std::string, AccuracyRow> technologies;
  for (const auto& id : judged) {
    const auto* record = book.find(id);
    for (const auto& technology : book.rules.technologies()) {
      if (!hand.decides(technology.id)) continue;
      std::optional<Verdict> person;
      std::optional<Verdict> rules;
      std::string why;
      if (const auto at = by_hand.find({id, technology.id}); at != by_hand.end()) person = at->second;
      for (const auto& c : record->classifications) {
        if (c.technology != technology.id) continue;
        rules = Verdict{c.impact, c.tier};
        why = c.made_by + ", " + c.why;
      }
      for (auto* row : {&cells["all"], &cells[technology.id]}) count(*row, person, rules, true);
      for (auto* row : {&technologies["all"], &technologies[technology.id]})
        count(*row, person, rules, false);
      const bool hand_counts = person && counts(person->tier);
      const bool rules_count = rules && counts(rules->tier);
      if (hand_counts != rules_count || (hand_counts && person->impact != rules->impact)) {
        accuracy.disagreements.push_back({id, technology.id, name_of(person), name_of(rules), why});
      }
    }
  }
  const auto list = [&book](std::map<std::string, AccuracyRow>& rows) {
    std::vector<AccuracyRow> sorted;
    for (const auto& technology : book.rules.technologies()) {
      auto& row = rows[technology.id];
      row.name = technology.id;
      if (row.both + row.only_hand + row.only_rules > 0) sorted.push_back(row);
    }
    rows["all"].name = "all";
    sorted.push_back(rows["all"]);
    return sorted;
  };
  accuracy.cells = list(cells);
  accuracy.technologies = list(technologies);
  return accuracy;
}

std::string accuracy_text(const Accuracy& accuracy, bool list_disagreements) {
  std::string out =
      "The rules against " + accuracy.against + ": " + std::to_string(accuracy.records) + " records judged";
  if (accuracy.missing > 0) out += ", " + std::to_string(accuracy.missing) + " not imported and not judged";
  out += "\n95 % Wilson intervals; a cell counts when its certainty is core or upper\n";
  const auto section = [&out](const char* title, const std::vector<AccuracyRow>& rows) {
    const auto text = [](const Proportion& p) {
      char cell[64];
      if (p.of == 0) return std::string("unknown");
      std::snprintf(cell, sizeof cell, "%.2f [%.2f, %.2f]", p.value(), p.low(), p.high());
      return std::string(cell);
    };
    std::vector<std::vector<std::string>> cells = {
        {title, "both", "missed", "extra", "recall", "precision", "(*)"}};
    for (const auto& row : rows) {
      cells.push_back({row.name, std::to_string(row.both), std::to_string(row.only_hand),
                       std::to_string(row.only_rules), text(row.recall()), text(row.precision()),
                       text(row.lenient_precision())});
    }
    out += "\n" + column_blocks(cells);
  };
  section("technology and impact", accuracy.cells);
  section("technology", accuracy.technologies);
  out += "\n(*) precision without 'alt'. technology: whatever the impact\n";
  if (list_disagreements) {
    out += "\nDisagreements (by hand -> by rules)\n";
    for (const auto& d : accuracy.disagreements) {
      out += "  " + d.id + " " + d.technology + ": " + d.hand + " -> " + d.rules +
             (d.why.empty() ? "" : "  (" + d.why + ")") + "\n";
    }
  }
  return folded_lines(out);
}

std::string accuracy_json(const Accuracy& accuracy) {
  using Json = nlohmann::ordered_json;
  const auto rows = [](const std::vector<AccuracyRow>& list) {
    Json array = Json::array();
    for (const auto& row : list) {
      const auto proportion = [](const Proportion& p) {
        if (p.of == 0) return Json(nullptr);
        return Json{{"value", p.value()}, {"low", p.low()}, {"high", p.high()}};
      };
      array.push_back({{"name", row.name},
                       {"both", row.both},
                       {"missed", row.only_hand},
                       {"extra", row.only_rules},
                       {"extra_plausible", row.only_rules_alternative},
                       {"recall", proportion(row.recall())},
                       {"precision", proportion(row.precision())},
                       {"precision_lenient", proportion(row.lenient_precision())}});
    }
    return array;
  };
  Json json{{"schema", "hapmeter.ledger-accuracy/1"},
            {"against", accuracy.against},
            {"records", accuracy.records},
            {"missing", accuracy.missing},
            {"cells", rows(accuracy.cells)},
            {"technologies", rows(accuracy.technologies)}};
  json["disagreements"] = Json::array();
  for (const auto& d : accuracy.disagreements) {
    json["disagreements"].push_back(
        {{"id", d.id}, {"technology", d.technology}, {"hand", d.hand}, {"rules", d.rules}, {"why", d.why}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hap::ledger
