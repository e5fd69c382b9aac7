// Tracker records, one per line: the Ubuntu CVE tracker reduced to id, publication date, packages, priority,
// CVSS vector, Xen advisories, fix commits ([introduced, fixed] pairs) and description.
#include <algorithm>
#include <cctype>

#include "ledger/format.h"

namespace hap::ledger {
namespace {

bool commit_id(const std::string& text) {
  return text.size() >= 12 && text.size() <= 40 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

class Tracker : public RecordFormat {
 public:
  std::string name() const override { return "tracker"; }

  bool accepts(const Json& document) const override {
    return document.is_object() && document.contains("pkgs") && document.contains("pub");
  }

  void read(const Json& document, RecordSink& sink) const override {
    Fields fields(document);
    Record record;
    record.id = fields.text("id");
    record.published = fields.date("pub");
    record.cvss = fields.text("cvss");
    record.description = fields.text("desc");
    for (const auto& package : fields.texts("pkgs")) {
      auto product = product_name(package);
      if (std::find(record.products.begin(), record.products.end(), product) == record.products.end()) {
        record.products.push_back(std::move(product));
      }
    }
    for (const auto& number : fields.texts("xsa")) record.advisories.push_back("XSA-" + number);
    for (const auto& pair : fields.array("fix")) {
      if (!pair.is_array() || pair.size() != 2 || !pair[1].is_string()) {
        fields.fail("\"fix\" holds something other than pairs of commits");
        break;
      }
      const auto& commit = pair[1].get_ref<const std::string&>();
      if (commit_id(commit)) record.fixes.push_back(commit);
    }
    if (!fields.trouble().empty()) return sink.malformed("", fields.trouble());
    add_named_places(record);
    sink.record(std::move(record), "");
  }
};

}  // namespace

std::unique_ptr<RecordFormat> make_tracker_format() {
  return std::make_unique<Tracker>();
}

}  // namespace hap::ledger
