#include "ledger/record_digest.h"

#include "base/digest.h"

namespace hap::ledger {

std::string record_digest(const Record& record) {
  // Fields are separated by bytes that no text of a record holds, so that shifting text between them shows.
  std::string all;
  const auto field = [&all](const std::string& text) {
    all += text;
    all += '\0';
  };
  const auto date = [&field](const std::optional<std::string>& day) { field(day ? *day : "?"); };
  field(record.id);
  date(record.published);
  date(record.advised);
  date(record.fixed);
  for (const auto* text : {&record.title, &record.description, &record.rationale, &record.cvss}) field(*text);
  for (const auto* list : {&record.advisories, &record.products, &record.files, &record.fixes}) {
    for (const auto& item : *list) field(item);
    all += '\1';
  }
  for (const auto& item : record.functions) {
    field(item.file);
    field(item.function);
  }
  all += '\1';
  for (const auto& product : record.affected) {
    field(product.product + (product.default_affected ? "+" : "-"));
    for (const auto& range : product.versions) {
      field((range.affected ? "+" : "-") + range.from);
      field(range.below);
      field(range.through);
    }
    all += '\1';
  }
  for (const auto& item : record.requirements) {
    field(to_string(item.kind) + item.name + (item.namespaced ? "+" : "-"));
    field(item.why);
  }
  return sha256_hex(all).substr(0, 32);
}

}  // namespace hap::ledger
