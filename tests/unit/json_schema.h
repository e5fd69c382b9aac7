// Checks a JSON document against one of the schemas in docs/: the keywords that those use, no more. A keyword
// it does not know is reported, so that a schema cannot promise what no test checks.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hap::testing {

class JsonSchema {
 public:
  explicit JsonSchema(nlohmann::json schema) : schema_(std::move(schema)) {}

  // What is wrong, one line per finding ("/workloads/0/pairs: missing member"); empty: valid.
  std::vector<std::string> findings(const nlohmann::json& document) const {
    std::vector<std::string> found;
    check(schema_, document, "", found);
    return found;
  }

 private:
  using json = nlohmann::json;

  static bool is_type(const json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_number_integer();
    return type == "number" && value.is_number();
  }

  void check(const json& schema, const json& value, const std::string& at,
             std::vector<std::string>& found) const {
    for (const auto& [keyword, rule] : schema.items()) {
      if (keyword == "$ref") {
        check(schema_.at(json::json_pointer(rule.get<std::string>().substr(1))), value, at, found);
      } else if (keyword == "type") {
        bool fits = false;
        for (const auto& type : rule.is_array() ? rule : json::array({rule})) {
          fits = fits || is_type(value, type.get<std::string>());
        }
        if (!fits) found.push_back(at + ": not of type " + rule.dump());
      } else if (keyword == "const") {
        if (value != rule) found.push_back(at + ": is not " + rule.dump());
      } else if (keyword == "enum") {
        if (std::find(rule.begin(), rule.end(), value) == rule.end())
          found.push_back(at + ": not in " + rule.dump());
      } else if (keyword == "required") {
        for (const auto& name : rule) {
          if (value.is_object() && !value.contains(name)) {
            found.push_back(at + ": missing member " + name.get<std::string>());
          }
        }
      } else if (keyword == "properties") {
        for (const auto& [name, inner] : rule.items()) {
          if (value.is_object() && value.contains(name)) check(inner, value[name], at + "/" + name, found);
        }
      } else if (keyword == "additionalProperties") {
        check_others(schema, rule, value, at, found);
      } else if (keyword == "items") {
        for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
          check(rule, value[i], at + "/" + std::to_string(i), found);
        }
      } else if (keyword == "minimum") {
        if (value.is_number() && value < rule) found.push_back(at + ": below " + rule.dump());
      } else if (keyword == "maximum") {
        if (value.is_number() && value > rule) found.push_back(at + ": above " + rule.dump());
      } else if (keyword != "description" && keyword != "title" && keyword != "$schema" && keyword != "$id" &&
                 keyword != "definitions") {
        found.push_back("the schema uses a keyword that is not checked: " + keyword);
      }
    }
  }

  void check_others(const json& schema, const json& rule, const json& value, const std::string& at,
                    std::vector<std::string>& found) const {
    if (!value.is_object()) return;
    const json known = schema.value("properties", json::object());
    for (const auto& [name, inner] : value.items()) {
      if (known.contains(name)) continue;
      if (rule == false) {
        found.push_back(at + ": unexpected member " + name);
      } else if (rule.is_object()) {
        check(rule, inner, at + "/" + name, found);
      }
    }
  }

  json schema_;
};

}  // namespace hap::testing
