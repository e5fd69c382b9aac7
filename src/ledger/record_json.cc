// Names of the ledger's enumerations, and records as JSON (docs/ledger.schema.json).
#include <array>
#include <nlohmann/json.hpp>

#include "hap/ledger.h"

namespace hap::ledger {

std::string to_string(Impact impact) {
  switch (impact) {
    case Impact::privilege_escalation:
      return "pe";
    case Impact::denial_of_service:
      return "dos";
    case Impact::information_leak:
      break;
  }
  return "il";
}

std::string title_of(Impact impact) {
  switch (impact) {
    case Impact::privilege_escalation:
      return "privilege escalation (guest to host)";
    case Impact::denial_of_service:
      return "denial of service (by guest of host)";
    case Impact::information_leak:
      break;
  }
  return "information leak (from host to guest)";
}

std::optional<Impact> parse_impact(const std::string& text) {
  for (const auto impact :
       {Impact::privilege_escalation, Impact::denial_of_service, Impact::information_leak}) {
    if (text == to_string(impact)) return impact;
  }
  return std::nullopt;
}

std::string to_string(Tier tier) {
  switch (tier) {
    case Tier::core:
      return "core";
    case Tier::upper:
      return "upper";
    case Tier::alternative:
      return "alt";
    case Tier::excluded:
      break;
  }
  return "excl";
}

std::optional<Tier> parse_tier(const std::string& text) {
  for (const auto tier : {Tier::core, Tier::upper, Tier::alternative, Tier::excluded}) {
    if (text == to_string(tier)) return tier;
  }
  return std::nullopt;
}

std::string to_string(Requirement::Kind kind) {
  switch (kind) {
    case Requirement::Kind::capability:
      return "capability";
    case Requirement::Kind::user_namespace:
      return "user-namespace";
    case Requirement::Kind::device:
      break;
  }
  return "device";
}

std::string to_json(const ClassifiedRecord& classified, int indent) {
  using Json = nlohmann::ordered_json;
  const Record& record = classified.record;
  const auto known = [](const std::optional<std::string>& text) {
    return text ? Json(*text) : Json(nullptr);
  };
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  Json json;
  json["schema"] = "hapmeter.ledger-record/1";
  json["id"] = record.id;
  json["advisories"] = record.advisories;
  json["dates"] = {{"published", known(record.published)},
                   {"advisory", known(record.advised)},
                   {"fixed", known(record.fixed)}};
  json["title"] = text_or_null(record.title);
  json["description"] = text_or_null(record.description);
  json["rationale"] = text_or_null(record.rationale);
  json["cvss"] = text_or_null(record.cvss);
  json["products"] = record.products;
  json["files"] = record.files;
  json["functions"] = Json::array();
  for (const auto& item : record.functions)
    json["functions"].push_back({{"file", item.file}, {"function", item.function}});
  json["fixes"] = record.fixes;
  json["affected"] = Json::array();
  for (const auto& product : record.affected) {
    Json entry{{"product", product.product},
               {"default", product.default_affected ? "affected" : "unaffected"}};
    entry["versions"] = Json::array();
    for (const auto& range : product.versions) {
      entry["versions"].push_back({{"status", range.affected ? "affected" : "unaffected"},
                                   {"from", text_or_null(range.from)},
                                   {"below", text_or_null(range.below)},
                                   {"through", text_or_null(range.through)}});
    }
    json["affected"].push_back(std::move(entry));
  }
  json["requirements"] = Json::array();
  for (const auto& item : record.requirements) {
    json["requirements"].push_back({{"kind", to_string(item.kind)},
                                    {"name", text_or_null(item.name)},
                                    {"namespaced", item.namespaced},
                                    {"why", item.why}});
  }
  json["sources"] = Json::array();
  for (const auto& item : record.sources) {
    json["sources"].push_back(
        {{"format", item.format}, {"origin", item.origin}, {"position", item.position}});
  }
  json["classifications"] = Json::array();
  for (const auto& item : classified.classifications) {
    json["classifications"].push_back(
        {{"technology", item.technology},
         {"impact", item.technology == "none" ? Json(nullptr) : Json(to_string(item.impact))},
         {"certainty", to_string(item.tier)},
         {"attacker", text_or_null(item.attacker)},
         {"condition", text_or_null(item.condition)},
         {"component", text_or_null(item.component)},
         {"made_by", item.made_by},
         {"why", item.why}});
  }
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hap::ledger
