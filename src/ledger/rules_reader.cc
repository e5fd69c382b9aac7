// From rules.toml to Rules. Everything unknown or contradictory is an error with its line: a rule that is
// silently ignored would be a wrong number.
#include <toml++/toml.h>
#include <algorithm>
#include <set>
#include <sstream>

#include "base/digest.h"
#include "base/file.h"
#include "ledger/rules.h"

namespace hap::ledger {

class RulesReader {
 public:
  RulesReader(Rules& rules, std::string origin) : rules_(rules), origin_(std::move(origin)) {}

  Status read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      static const std::set<std::string_view> known{"technology", "break", "fact", "requirement", "cell"};
      if (known.count(key.str()) == 0) return fail(node, "unknown key \"" + std::string(key.str()) + "\"");
    }
    HAP_CHECK(each(root, "technology", [this](const toml::table& t) { return technology(t); }));
    HAP_CHECK(each(root, "break", [this](const toml::table& t) { return comparability(t); }));
    HAP_CHECK(each(root, "fact", [this](const toml::table& t) { return fact(t); }));
    HAP_CHECK(each(root, "requirement", [this](const toml::table& t) { return requirement(t); }));
    HAP_CHECK(each(root, "cell", [this](const toml::table& t) { return cell(t); }));
    if (rules_.technologies_.empty())
      return Error("no [[technology]] in the rules", ErrorKind::corrupt).at(origin_);
    rules_.phrase_set_.compile();
    return {};
  }

 private:
  Error fail(const toml::node& node, const std::string& why) const {
    return Error("line " + std::to_string(node.source().begin.line) + ": " + why, ErrorKind::corrupt)
        .at(origin_);
  }

  template <typename Take>
  Status each(const toml::table& root, const char* key, const Take& take) const {
    const toml::node* node = root.get(key);
    if (node == nullptr) return {};
    const toml::array* list = node->as_array();
    if (list == nullptr) return fail(*node, std::string("write [[") + key + "]]");
    for (const auto& item : *list) {
      const toml::table* table = item.as_table();
      if (table == nullptr) return fail(item, std::string("write [[") + key + "]]");
      HAP_CHECK(take(*table));
    }
    return {};
  }

  Status only(const toml::table& table, std::set<std::string_view> known, bool condition) const {
    if (condition) {
      known.insert({"product", "only_product", "text", "all_text", "not_text", "path", "all_path", "cvss",
                    "advisory", "facts", "any", "unless", "rationale"});
    }
    for (const auto& [key, node] : table) {
      if (known.count(key.str()) == 0) return fail(node, "unknown key \"" + std::string(key.str()) + "\"");
    }
    return {};
  }

  Result<std::string> text(const toml::table& table, const char* key, bool required = false) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
      if (required) return fail(table, std::string("\"") + key + "\" is missing");
      return std::string();
    }
    const auto value = node->value_exact<std::string>();
    if (!value || (required && value->empty()))
      return fail(*node, std::string("\"") + key + "\" must be a text");
    return *value;
  }

  Result<bool> flag(const toml::table& table, const char* key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return false;
    const auto value = node->value_exact<bool>();
    if (!value) return fail(*node, std::string("\"") + key + "\" must be true or false");
    return *value;
  }

  Result<std::vector<std::string>> texts(const toml::table& table, std::string_view key) const {
    std::vector<std::string> list;
    const toml::node* node = table.get(key);
    if (node == nullptr) return list;
    const toml::array* array = node->as_array();
    if (array == nullptr) return fail(*node, "\"" + std::string(key) + "\" must be a list of texts");
    for (const auto& item : *array) {
      const auto value = item.value_exact<std::string>();
      if (!value || value->empty()) return fail(item, "\"" + std::string(key) + "\" must be a list of texts");
      list.push_back(*value);
    }
    return list;
  }

  Result<std::vector<size_t>> phrases(const toml::table& table, std::string_view key) {
    HAP_TRY(words, texts(table, key));
    std::vector<size_t> list;
    for (const auto& word : words) {
      const size_t number = rules_.phrase_set_.add(word);
      if (number == rules_.phrases_.size()) rules_.phrases_.push_back(word);
      list.push_back(number);
    }
    return list;
  }

  Result<std::vector<size_t>> facts(const toml::table& table, const char* key) const {
    HAP_TRY(names, texts(table, key));
    std::vector<size_t> list;
    for (const auto& name : names) {
      const auto found = std::find(rules_.fact_names_.begin(), rules_.fact_names_.end(), name);
      if (found == rules_.fact_names_.end()) {
        return fail(*table.get(key), "no rule before this one establishes the fact \"" + name + "\"");
      }
      list.push_back(static_cast<size_t>(found - rules_.fact_names_.begin()));
    }
    return list;
  }

  Result<Condition> condition(const toml::table& table) {
    Condition when;
    HAP_TRY(product, texts(table, "product"));
    HAP_TRY(only_product, texts(table, "only_product"));
    HAP_TRY(path, texts(table, "path"));
    HAP_TRY(all_path, texts(table, "all_path"));
    HAP_TRY(cvss, texts(table, "cvss"));
    HAP_TRY(advisory, texts(table, "advisory"));
    HAP_TRY(text_any, phrases(table, "text"));
    HAP_TRY(text_all, phrases(table, "all_text"));
    HAP_TRY(text_none, phrases(table, "not_text"));
    HAP_TRY(facts_all, facts(table, "facts"));
    HAP_TRY(facts_any, facts(table, "any"));
    HAP_TRY(facts_none, facts(table, "unless"));
    when = {product, only_product, text_any, text_all,  text_none, path,      all_path,
            cvss,    {},           advisory, facts_all, facts_any, facts_none};
    if (const toml::node* node = table.get("rationale"); node != nullptr) {
      const toml::table* metrics = node->as_table();
      if (metrics == nullptr) return fail(*node, "\"rationale\" must be a table of metrics");
      for (const auto& [metric, value] : *metrics) {
        (void)value;
        HAP_TRY(list, phrases(*metrics, metric.str()));
        when.rationale.emplace(std::string(metric.str()), list);
      }
    }
    return when;
  }

  Status technology(const toml::table& table) {
    HAP_CHECK(only(table, {"id", "title", "seed", "per_advisory", "products"}, false));
    Technology technology;
    HAP_TRY(id, text(table, "id", true));
    HAP_TRY(title, text(table, "title", true));
    HAP_TRY(seed, flag(table, "seed"));
    HAP_TRY(per_advisory, flag(table, "per_advisory"));
    HAP_TRY(products, texts(table, "products"));
    rules_.technologies_.push_back({id, title, seed, per_advisory, products});
    return {};
  }

  Status comparability(const toml::table& table) {
    HAP_CHECK(only(table, {"year", "technologies", "warning"}, false));
    const toml::node* node = table.get("year");
    const auto year = node != nullptr ? node->value_exact<int64_t>() : std::nullopt;
    if (!year || *year < 1990 || *year > 2100) return fail(table, "\"year\" must be a year");
    HAP_TRY(technologies, texts(table, "technologies"));
    HAP_TRY(warning, text(table, "warning", true));
    rules_.breaks_.push_back({static_cast<int>(*year), technologies, warning});
    return {};
  }

  Status fact(const toml::table& table) {
    HAP_CHECK(only(table, {"name", "why"}, true));
    HAP_TRY(name, text(table, "name", true));
    HAP_TRY(why, text(table, "why"));
    HAP_TRY(when, condition(table));
    auto& names = rules_.fact_names_;
    auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) found = names.insert(names.end(), name);
    rules_.facts_.push_back({static_cast<size_t>(found - names.begin()), when, why});
    return {};
  }

  Status requirement(const toml::table& table) {
    HAP_CHECK(only(table, {"name", "kind", "namespaced"}, true));
    RequirementRule rule;
    HAP_TRY(kind, text(table, "kind", true));
    HAP_TRY(name, text(table, "name"));
    HAP_TRY(namespaced, flag(table, "namespaced"));
    if (kind == "capability") {
      rule.requirement.kind = Requirement::Kind::capability;
    } else if (kind == "user-namespace") {
      rule.requirement.kind = Requirement::Kind::user_namespace;
    } else if (kind == "device") {
      rule.requirement.kind = Requirement::Kind::device;
    } else {
      return fail(table, "\"kind\" must be capability, user-namespace or device");
    }
    if (name.empty() && kind != "user-namespace") return fail(table, "\"name\" is missing");
    rule.requirement.name = name;
    rule.requirement.namespaced = namespaced;
    HAP_TRY(when, condition(table));
    rule.when = when;
    rules_.requirements_.push_back(rule);
    return {};
  }

  Status cell(const toml::table& table) {
    HAP_CHECK(only(
        table, {"name", "technology", "impact", "tier", "attacker", "condition", "why", "upper_if"}, true));
    CellRule rule;
    HAP_TRY(name, text(table, "name", true));
    HAP_TRY(technology, text(table, "technology", true));
    HAP_TRY(impact, text(table, "impact", true));
    HAP_TRY(tier, text(table, "tier", true));
    HAP_TRY(attacker, text(table, "attacker"));
    HAP_TRY(extra, text(table, "condition"));
    HAP_TRY(why, text(table, "why", true));
    HAP_TRY(when, condition(table));
    HAP_TRY(upper_if, facts(table, "upper_if"));
    if (rules_.technology(technology) == nullptr) return fail(table, "no technology \"" + technology + "\"");
    const auto parsed_impact = parse_impact(impact);
    const auto parsed_tier = parse_tier(tier);
    if (!parsed_impact) return fail(table, "\"impact\" must be pe, dos or il");
    if (!parsed_tier) return fail(table, "\"tier\" must be core, upper, alt or excl");
    rules_.cells_.push_back(
        {name, technology, *parsed_impact, *parsed_tier, when, upper_if, attacker, extra, why});
    return {};
  }

  Rules& rules_;
  std::string origin_;
};

Result<Rules> Rules::parse(const std::string& text, const std::string& origin) {
  Rules rules;
  try {
    std::istringstream stream(text);
    const toml::table root = toml::parse(stream, origin);
    RulesReader reader(rules, origin);
    HAP_CHECK(reader.read(root));
  } catch (const toml::parse_error& error) {
    return Error(
               "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()),
               ErrorKind::corrupt)
        .at(origin);
  }
  rules.digest_ = sha256_hex(text);
  return rules;
}

Result<Rules> Rules::load(const std::string& path) {
  HAP_TRY(text, read_file(path, size_t{16} << 20));
  return parse(text, path);
}

}  // namespace hap::ledger
