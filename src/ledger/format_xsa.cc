// Xen's xsa.json: [{"xsas": [{"xsa": 148, "title": ..., "public_time": ..., "cve": ["CVE-2015-7835"]}]}].
// An advisory becomes one record per CVE id, or one under its own id when it has none.
#include <algorithm>
#include <cctype>

#include "ledger/date.h"
#include "ledger/format.h"

namespace hap::ledger {
namespace {

const Json* list_of(const Json& document) {
  const Json* holder = nullptr;
  if (document.is_array() && !document.empty() && document[0].is_object()) holder = &document[0];
  if (document.is_object()) holder = &document;
  if (holder == nullptr) return nullptr;
  const auto list = holder->find("xsas");
  return list != holder->end() && list->is_array() ? &*list : nullptr;
}

std::string number_of(Fields& fields, const Json& item) {
  const auto found = item.find("xsa");
  if (found == item.end()) return {};
  if (found->is_number_unsigned()) return std::to_string(found->get<uint64_t>());
  std::string text = fields.text("xsa");
  if (!std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) return {};
  return text;
}

class Xsa : public RecordFormat {
 public:
  std::string name() const override { return "xsa"; }

  bool accepts(const Json& document) const override { return list_of(document) != nullptr; }

  void read(const Json& document, RecordSink& sink) const override {
    size_t at = 0;
    for (const auto& item : *list_of(document)) {
      const std::string position = "/xsas/" + std::to_string(at++);
      Fields fields(item);
      if (!item.is_object()) {
        sink.malformed(position, fields.trouble());
        continue;
      }
      const std::string number = number_of(fields, item);
      if (number.empty() || number.size() > 6) fields.fail("\"xsa\" is not an advisory number");
      Record record;
      record.products = {"xen"};
      record.title = fields.text("title");
      record.advisories = {"XSA-" + number};
      for (const char* key : {"public_time", "public", "time"}) {
        if (!record.advised) record.advised = fields.date(key);
      }
      record.published = record.advised;  // an advisory is how Xen publishes
      auto ids = fields.texts("cve");
      for (const auto& id : fields.texts("cves")) ids.push_back(id);
      if (!fields.trouble().empty()) {
        sink.malformed(position, fields.trouble());
        continue;
      }
      ids.erase(std::remove_if(ids.begin(), ids.end(), [](const std::string& id) { return !year_in_id(id); }),
                ids.end());
      if (ids.empty()) ids.push_back("XSA-" + number);
      for (const auto& id : ids) {
        Record one = record;
        one.id = id;
        sink.record(std::move(one), position);
      }
    }
  }
};

}  // namespace

std::unique_ptr<RecordFormat> make_xsa_format() {
  return std::make_unique<Xsa>();
}

}  // namespace hap::ledger
