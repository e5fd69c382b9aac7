#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/printable.h"
#include "base/text_layout.h"
#include "ledger/book.h"

namespace hap::ledger {
namespace {

using Json = nlohmann::ordered_json;

constexpr Impact impacts[] = {Impact::privilege_escalation, Impact::denial_of_service,
                              Impact::information_leak};

std::string range(int low, int high) {
  return std::to_string(low) + "-" + std::to_string(high);
}

bool without_data(const Table& table, const std::string& technology) {
  return std::find(table.without_data.begin(), table.without_data.end(), technology) !=
         table.without_data.end();
}

std::string span(const YearSpan& years) {
  return years.from == years.to ? std::to_string(years.from)
                                : std::to_string(years.from) + " to " + std::to_string(years.to);
}

std::string padded(const std::string& text, size_t width) {
  return text.size() >= width ? text : text + std::string(width - text.size(), ' ');
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string joined(const std::vector<std::string>& list, const char* separator) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : separator) + item;
  return text;
}

Json entry_json(const TableEntry& entry) {
  const auto text = [](const std::string& t) { return t.empty() ? Json(nullptr) : Json(t); };
  return {{"label", entry.label},
          {"ids", entry.ids},
          {"certainty", to_string(entry.tier)},
          {"date", text(entry.date)},
          {"attacker", text(entry.attacker)},
          {"component", text(entry.component)},
          {"condition", text(entry.condition)},
          {"made_by", entry.made_by},
          {"why", text(entry.why)}};
}

Json cell_value(const Table& table, const TableCell& cell) {
  Json json{{"technology", cell.technology}, {"impact", to_string(cell.impact)}};
  if (without_data(table, cell.technology)) {
    json["low"] = nullptr;
    json["high"] = nullptr;
  } else {
    json["low"] = cell.low;
    json["high"] = cell.high;
  }
  json["published"] = nullptr;
  if (cell.published) {
    json["published"] = {
        {"low", cell.published->low},
        {"high", cell.published->high},
        {"deviation", cell.published->deviation.empty() ? Json(nullptr) : Json(cell.published->deviation)}};
  }
  json["entries"] = Json::array();
  for (const auto& entry : cell.entries) json["entries"].push_back(entry_json(entry));
  return json;
}

}  // namespace

std::string table_text(const Table& table) {
  std::ostringstream out;
  out << "Vulnerabilities published in " << span(table.years)
      << ", certain to conditional; in brackets what the talk published\n\n";
  std::vector<const Technology*> shown;
  for (const auto& technology : table.technologies) {
    if (!without_data(table, technology.id)) shown.push_back(&technology);
  }
  std::string notes;
  std::vector<std::vector<std::string>> rows = {{""}};
  for (const auto* technology : shown) rows[0].push_back(technology->id);
  for (const auto impact : impacts) {
    std::vector<std::string> row = {title_of(impact)};
    for (const auto* technology : shown) {
      const auto* cell = table.find(technology->id, impact);
      std::string text = range(cell->low, cell->high);
      if (cell->published) {
        text += " [" + range(cell->published->low, cell->published->high) + "]";
        if (!cell->published->deviation.empty()) {
          text += "*";
          notes += "* " + technology->id + "/" + to_string(impact) + ": " + cell->published->deviation + "\n";
        }
      }
      row.push_back(std::move(text));
    }
    rows.push_back(std::move(row));
  }
  out << column_blocks(rows);
  out << "\n" << notes;
  if (!table.without_data.empty())
    out << "No records of: " << joined(table.without_data, ", ") << " (unknown, not none)\n";
  for (const auto& basis : table.basis) out << "Basis: " << basis << "\n";
  for (const auto& warning : table.warnings) out << "Warning: " << warning << "\n";
  return folded_lines(printable_lines(out.str()));
}

std::string table_csv(const Table& table) {
  std::ostringstream out;
  out << "from,to,technology,impact,low,high,published_low,published_high,deviation\n";
  for (const auto& cell : table.cells) {
    const bool unknown = without_data(table, cell.technology);
    out << table.years.from << ',' << table.years.to << ',' << cell.technology << ','
        << to_string(cell.impact) << ',' << (unknown ? "" : std::to_string(cell.low)) << ','
        << (unknown ? "" : std::to_string(cell.high)) << ',';
    if (cell.published)
      out << cell.published->low << ',' << cell.published->high << ','
          << csv_field(cell.published->deviation);
    if (!cell.published) out << ",,";
    out << '\n';
  }
  return out.str();
}

std::string table_json(const Table& table) {
  Json json{{"schema", "hapmeter.ledger-table/1"},
            {"years", {{"from", table.years.from}, {"to", table.years.to}}}};
  json["technologies"] = Json::array();
  for (const auto& technology : table.technologies) {
    json["technologies"].push_back({{"id", technology.id},
                                    {"title", technology.title},
                                    {"of_seed", technology.of_seed},
                                    {"counts", technology.per_advisory ? "advisories" : "records"},
                                    {"has_records", !without_data(table, technology.id)}});
  }
  json["cells"] = Json::array();
  for (const auto& cell : table.cells) json["cells"].push_back(cell_value(table, cell));
  json["undated"] = table.undated;
  json["basis"] = table.basis;
  json["warnings"] = table.warnings;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string cell_text(const Table& table, const TableCell& cell) {
  std::ostringstream out;
  out << cell.technology << ", " << title_of(cell.impact) << ", published in " << span(table.years) << ": "
      << (without_data(table, cell.technology) ? "no records of this technology"
                                               : range(cell.low, cell.high));
  if (cell.published) {
    out << " [the talk: " << range(cell.published->low, cell.published->high) << "]";
    if (!cell.published->deviation.empty()) out << "\n* " << cell.published->deviation;
  }
  out << "\n";
  for (const auto tier : {Tier::core, Tier::upper, Tier::alternative, Tier::excluded}) {
    const bool any = std::any_of(cell.entries.begin(), cell.entries.end(),
                                 [tier](const TableEntry& e) { return e.tier == tier; });
    if (!any) continue;
    constexpr const char* heads[] = {"certain", "conditional", "plausible, left out", "excluded"};
    out << "\n" << heads[static_cast<size_t>(tier)] << "\n";
    for (const auto& entry : cell.entries) {
      if (entry.tier != tier) continue;
      out << "  " << padded(entry.label, 16) << " " << padded(entry.date.empty() ? "undated" : entry.date, 10)
          << "  ";
      if (entry.ids.size() > 1 || entry.ids.front() != entry.label) out << joined(entry.ids, " ") << "  ";
      out << joined(
          [&entry] {
            std::vector<std::string> parts;
            for (const auto* text : {&entry.attacker, &entry.component, &entry.why}) {
              if (!text->empty()) parts.push_back(*text);
            }
            return parts;
          }(),
          "; ");
      out << "  (" << entry.made_by << ")\n";
    }
  }
  for (const auto& warning : table.warnings) out << "Warning: " << warning << "\n";
  return folded_lines(printable_lines(out.str()));
}

std::string cell_csv(const TableCell& cell) {
  std::ostringstream out;
  out << "technology,impact,certainty,label,ids,date,attacker,component,condition,made_by,why\n";
  for (const auto& entry : cell.entries) {
    out << cell.technology << ',' << to_string(cell.impact) << ',' << to_string(entry.tier) << ','
        << csv_field(entry.label) << ',' << csv_field(joined(entry.ids, " ")) << ',' << entry.date << ','
        << csv_field(entry.attacker) << ',' << csv_field(entry.component) << ',' << csv_field(entry.condition)
        << ',' << csv_field(entry.made_by) << ',' << csv_field(entry.why) << '\n';
  }
  return out.str();
}

std::string cell_json(const Table& table, const TableCell& cell) {
  return cell_value(table, cell).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string record_text(const ClassifiedRecord& classified,
                        const std::vector<std::pair<std::string, std::string>>& facts) {
  const Record& record = classified.record;
  std::ostringstream out;
  out << record.id;
  for (const auto& advisory : record.advisories) out << ", " << advisory;
  if (!record.title.empty()) out << ": " << record.title;
  out << "\n";
  const auto line = [&out](const char* name, const std::string& text) {
    if (!text.empty()) out << "  " << padded(name, 13) << text << "\n";
  };
  line("published", record.published.value_or("unknown"));
  if (record.advised) line("advisory", *record.advised);
  if (record.fixed) line("fixed", *record.fixed);
  line("products", joined(record.products, ", "));
  line("cvss", record.cvss);
  line("files", joined(record.files, ", "));
  for (const auto& item : record.functions) line("function", item.file + ":" + item.function);
  line("fixes", joined(record.fixes, ", "));
  for (const auto& product : record.affected) {
    std::string text = product.product + ": " + (product.default_affected ? "affected unless listed; " : "");
    for (const auto& range_ : product.versions) {
      text += std::string(range_.affected ? "affected " : "unaffected ") +
              (range_.from.empty() ? "any" : range_.from);
      if (!range_.below.empty()) text += " to before " + range_.below;
      if (!range_.through.empty()) text += " to " + range_.through;
      text += "; ";
    }
    line("versions", text);
  }
  for (const auto& need : record.requirements) {
    line("needs",
         (need.kind == Requirement::Kind::user_namespace ? std::string("a user namespace") : need.name) +
             (need.namespaced && need.kind == Requirement::Kind::capability ? " (a user namespace gives it)"
                                                                            : "") +
             ", " + need.why);
  }
  if (!record.description.empty()) out << "\n" << record.description << "\n";
  out << "\nClassification\n";
  if (classified.classifications.empty())
    out << "  none: no rule and no person put this record into a cell\n";
  for (const auto& c : classified.classifications) {
    out << "  "
        << (c.technology == "none" ? std::string("no technology") : c.technology + "/" + to_string(c.impact))
        << " " << to_string(c.tier);
    if (!c.attacker.empty()) out << ", attacker: " << c.attacker;
    if (!c.condition.empty()) out << ", if: " << c.condition;
    out << "\n    by " << c.made_by << (c.why.empty() ? "" : ": " + c.why) << "\n";
  }
  if (!facts.empty()) {
    out << "\nWhat the rules see\n";
    for (const auto& [name, why] : facts) out << "  " << padded(name, 22) << why << "\n";
  }
  out << "\nSources\n";
  for (const auto& source : record.sources)
    out << "  " << source.format << ": " << source.origin << ", " << source.position << "\n";
  return folded_lines(printable_lines(out.str()));
}

}  // namespace hap::ledger
